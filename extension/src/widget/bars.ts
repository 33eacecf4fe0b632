/** Bars above the canvas for what a person must know or decide. */
import type { LinkStatus } from '../core/link';
import type { Services } from '../core/services';
import type { SyncState } from '../core/sync';
import type { WidgetSession } from './session';

/** Keep the bars of a view up to date until it is removed. */
export function mountBars(
  element: HTMLElement,
  { link, sync }: WidgetSession,
  services: Services
): () => void {
  const conflict = conflictBar(services, {
    keep: () => void sync.keepMine(),
    take: () => sync.takeTheirs()
  });
  const note = bar('');
  note.setAttribute('role', 'status');
  element.append(conflict, note);
  const show = (): void => {
    const state = sync.state.get();
    conflict.hidden = state.conflict === null;
    note.textContent = noteText(link.status.get(), state, services);
    note.hidden = note.textContent === '';
  };
  const ends = [link.status.subscribe(show), sync.state.subscribe(show)];
  show();
  return () => {
    ends.forEach(end => end());
    element.replaceChildren();
  };
}

function noteText(status: LinkStatus, state: SyncState, services: Services): string {
  if (status === 'lost' || status === 'outdated') {
    return services.trans('Edits made now are not saved until the cell runs again.');
  }
  if (state.fault) {
    return services.trans('Not saved: {reason}', { reason: state.fault });
  }
  return state.catalogProblems.join(' ');
}

interface Choice {
  readonly keep: () => void;
  readonly take: () => void;
}

function conflictBar(services: Services, choice: Choice): HTMLElement {
  const made = bar(
    services.trans('The flow was changed elsewhere while you edited it here. Which one stays?')
  );
  made.setAttribute('role', 'alert');
  made.append(
    button(services.trans('Keep mine'), choice.keep),
    button(services.trans('Take theirs'), choice.take)
  );
  return made;
}

function bar(text: string): HTMLElement {
  const made = document.createElement('div');
  made.className = 'iai-widget-bar';
  const span = document.createElement('span');
  span.textContent = text;
  made.append(span);
  made.hidden = true;
  return made;
}

function button(label: string, action: () => void): HTMLButtonElement {
  const made = document.createElement('button');
  made.type = 'button';
  made.className = 'iai-button';
  made.textContent = label;
  made.addEventListener('click', action);
  return made;
}
