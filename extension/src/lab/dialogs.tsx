/** Dialogs that stay open until what they ask for is accepted. */
import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import type { ReactElement } from 'react';
import { HostContext, type PanelHost } from '../panels/host';
import { Submission } from '../panels/QueueForm';

export interface Asked {
  readonly title: string;
  readonly accept: string;
  body(submission: Submission): ReactElement;
}

/** What has the focus at first; a field that comes later takes it itself. */
const FIRST_FIELD = '.iai-Dialog > :not(details) :is(input, select, textarea, .cm-content)';

/** Ask; the dialog closes when it is cancelled or what it submits is accepted. */
export async function ask(host: PanelHost, { title, accept, body }: Asked): Promise<void> {
  const submission = new Submission();
  const form = <HostContext.Provider value={host}>{body(submission)}</HostContext.Provider>;
  const dialog = new FormDialog(submission, {
    title,
    body: ReactWidget.create(form),
    buttons: [
      Dialog.cancelButton({ label: host.trans('Cancel') }),
      Dialog.okButton({ label: accept })
    ],
    hasClose: true,
    focusNodeSelector: FIRST_FIELD
  });
  dialog.addClass('iai-FormDialog');
  await dialog.launch();
}

const ACCEPT = 1;

class FormDialog extends Dialog<unknown> {
  private busy = false;

  constructor(
    private readonly submission: Submission,
    options: Partial<Dialog.IOptions<unknown>>
  ) {
    super(options);
  }

  override resolve(index: number = ACCEPT): void {
    if (index !== ACCEPT) {
      super.resolve(index);
    } else if (!this.busy) {
      this.busy = true;
      void this.submission.submit().then(accepted => {
        this.busy = false;
        if (accepted) {
          super.resolve(ACCEPT);
        }
      });
    }
  }
}
