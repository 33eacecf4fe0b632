/** Why a wire was refused, where it was dropped. */
import { useEffect } from 'react';
import { useStore } from '../hooks';
import { useShared } from './context';

const SHOWN_MS = 5000;

export function Refusal() {
  const store = useShared().refusal;
  const refusal = useStore(store);
  useEffect(() => {
    if (!refusal) {
      return undefined;
    }
    const timer = setTimeout(() => store.set(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [store, refusal]);
  return refusal ? (
    <div className="iai-refusal" style={{ left: refusal.x, top: refusal.y }}>
      {refusal.text}
    </div>
  ) : null;
}
