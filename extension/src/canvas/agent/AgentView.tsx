/** An output that is an agent's trace: in short, or whole. */
import { useMemo, useState, type ReactNode } from 'react';
import { traceReader } from '../../core/agentTrace';
import type { Services } from '../../core/services';
import { JsonTree } from '../outputs/JsonTree';
import { AgentFace } from './AgentFace';
import { AgentWhole } from './AgentWhole';

interface Props {
  readonly text: string;
  readonly services: Services;
  readonly label: string;
  /** Whether its step is under way. */
  readonly live?: boolean;
  readonly whole?: boolean;
  /** Ends the run. */
  readonly onStop?: () => void;
  /** What stands below all of it. */
  readonly raw?: ReactNode;
}

export function AgentView({ text, services, label, live = false, whole, onStop, raw }: Props) {
  const [read] = useState(traceReader);
  const trace = useMemo(() => read(text, live), [read, text, live]);
  if (trace === null) {
    return <JsonTree text={text} services={services} label={label} />;
  }
  const shown = { trace, services, label, onStop: live ? onStop : undefined };
  return whole ? <AgentWhole {...shown} raw={raw} /> : <AgentFace {...shown} />;
}
