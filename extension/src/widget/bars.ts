/** Bars above the canvas for what a person must know or decide. */
import type { FlowDocument } from '../core/document';
import type { LinkStatus } from '../core/link';
import type { Services } from '../core/services';
import type { SyncState } from '../core/sync';
import type { WidgetSession } from './session';

/** Keep the bars of a view up to date until it is removed; their class says what is unsaved. */
export function mountBars(
  element: HTMLElement,
  session: WidgetSession,
  services: Services
): () => void {
  const { document, link, sync } = session;
  const conflict = conflictBar(services, {
    keep: () => void sync.keepMine(),
    take: () => sync.takeTheirs()
  });
  const note = bar('');
  note.setAttribute('role', 'status');
  const copy = button(services.trans('Copy the flow'), () => void copyFlow(document, services));
  note.append(copy);
  element.append(conflict, note);
  const show = (): void => {
    const state = sync.state.get();
    const status = link.status.get();
    const text = noteText(status, state, session.isOnlyCopy, services);
    conflict.hidden = state.conflict === null || status === 'lost';
    element.classList.toggle('iai-mod-unsaved', state.unsaved);
    note.firstElementChild?.replaceChildren(text);
    note.hidden = text === '';
    copy.hidden = status !== 'lost' || !(state.unsaved || session.isOnlyCopy);
  };
  const ends = [link.status.subscribe(show), sync.state.subscribe(show)];
  show();
  return () => {
    ends.forEach(end => end());
    element.replaceChildren();
  };
}

/** The one thing that matters most now; "": nothing does. */
function noteText(
  status: LinkStatus,
  state: SyncState,
  isOnlyCopy: boolean,
  { trans }: Services
): string {
  if (status === 'lost' && state.unsaved) {
    return trans(
      'The kernel is gone, and your last edits did not reach it. Copy the flow, and paste it when the cell was run again.'
    );
  }
  if (status === 'lost' && isOnlyCopy) {
    return trans(
      'The kernel is gone, and your edits are only on this page. Copy the flow, and paste it when the cell was run again.'
    );
  }
  if (status === 'lost') {
    return trans('The kernel is gone; what is shown is from before. Run the cell again to go on.');
  }
  if (status === 'outdated') {
    return trans(
      'The kernel has another version of iaiflow-lab. Restart it, reload the page, and run the cell again.'
    );
  }
  if (state.fault) {
    return trans('Not saved: {reason}', { reason: state.fault });
  }
  return state.catalogProblems.join(' ');
}

async function copyFlow(document: FlowDocument, services: Services): Promise<void> {
  await services.copy(document.text());
  services.notify(services.trans('The flow is on the clipboard.'), 'success');
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
