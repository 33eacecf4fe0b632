/** Says why queued runs do not begin: the machine lacks disk or memory. */
import { useEffect, useState } from 'react';
import type { RunSummary, Shortage } from '../api/types';
import { useHost } from './host';
import { useAsked } from './use';

/** How often one looks while runs are queued, in milliseconds. */
const LOOK_EVERY = 10_000;
const MB = 1_000_000;

export function Room({ runs }: { readonly runs: readonly RunSummary[] }) {
  const queued = runs.filter(({ state }) => state === 'queued').length;
  // asked for nothing, the service would make every folder that Jupyter shows a workspace
  return queued > 0 ? <Lack queued={queued} /> : null;
}

function Lack({ queued }: { readonly queued: number }) {
  const { client, trans } = useHost();
  const tick = useTick();
  const { result } = useAsked(() => client.system(), `${queued} ${tick}`);
  const shortage = result?.shortage;
  return (
    <p className="iai-Panel-warning" role="status" hidden={!shortage}>
      {shortage && sentence(shortage, trans)}
    </p>
  );
}

function sentence({ what, free, needed }: Shortage, trans: ReturnType<typeof useHost>['trans']) {
  const values = { free: Math.round(free / MB), needed: Math.round(needed / MB) };
  return what === 'disk'
    ? trans(
        'The disk is nearly full: {free} MB free, {needed} MB needed. Queued runs begin when there is room again.',
        values
      )
    : trans(
        'Memory is short: {free} MB free, {needed} MB needed. Queued runs begin when there is room again.',
        values
      );
}

/** Rises every few seconds. */
function useTick(): number {
  const [tick, setTick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setTick(count => count + 1), LOOK_EVERY);
    return () => clearInterval(timer);
  }, []);
  return tick;
}
