/** What the panels of runs and schedules are lent. */
import { createContext, useContext } from 'react';
import type { Client } from '../api/client';
import type { RunSummary, Schedule } from '../api/types';
import type { Trans } from '../core/i18n';
import type { FormProps, Mounted } from '../core/services';

export interface PanelHost {
  readonly client: Client;
  readonly trans: Trans;
  /** BCP 47. */
  readonly language: string;
  mountForm(element: HTMLElement, props: FormProps): Mounted<FormProps>;
  /** Open a flow or notebook of the workspace. */
  open(path: string): void;
  /** Save the changes that are open somewhere; says what was done, "" when there were none. */
  save(path: string): Promise<string>;
  /** Show how a run differs from another one. */
  compare(run: RunSummary): void;
  /** Open a copy of a run's output notebook beside its source. */
  openOutput(run: RunSummary): Promise<void>;
  /** Open a notebook that has what a failed step was given. */
  debug(run: RunSummary, step: string): Promise<void>;
  /** Open the dialog for a schedule. */
  edit(schedule: Schedule): void;
  confirm(title: string, body: string, accept: string): Promise<boolean>;
}

export const HostContext = createContext<PanelHost | null>(null);

export function useHost(): PanelHost {
  const host = useContext(HostContext);
  if (!host) {
    throw new Error('This part stands outside of a panel.');
  }
  return host;
}
