/** What can be done with an output: open it in the notebook, pin it, or a value in its place. */
import { useState } from 'react';
import { attemptEdit } from '../../../core/attempt';
import { pinOutput } from '../../../core/commands/edit';
import { openInNotebook } from '../../../core/commands/look';
import type { Controller } from '../../../core/controller';
import { pin, unpin } from '../../../core/edits/pins';
import type { Json } from '../../../core/flow';
import { useTrans } from '../../chrome/use';
import { useController, useReadOnly } from '../../hooks';
import { PinEditor } from './PinEditor';

interface ActionProps {
  readonly id: string;
  readonly port: string;
  /** Whether the kernel has a value. */
  readonly made: boolean;
  /** The pinned value; undefined: it is not pinned. */
  readonly pinned: Json | undefined;
}

export function OutputActions({ id, port, made, pinned }: ActionProps) {
  const controller = useController();
  const trans = useTrans();
  const readOnly = useReadOnly(controller);
  const [editing, setEditing] = useState<Json | undefined>(undefined);
  if (editing !== undefined) {
    return (
      <PinEditor
        port={port}
        value={editing}
        onCancel={() => setEditing(undefined)}
        onSave={value => {
          attemptEdit(controller, trans('Pin outputs'), flow => pin(flow, id, port, value));
          setEditing(undefined);
        }}
      />
    );
  }
  const isPinned = pinned !== undefined;
  const edit = async (): Promise<void> =>
    setEditing(pinned ?? (made ? await present(controller, id, port) : null));
  const unpinNow = (): void =>
    void attemptEdit(controller, trans('Unpin outputs'), flow => unpin(flow, id, port));
  return (
    <>
      {made && (
        <Link onClick={() => void openInNotebook(controller, id, port)}>
          {trans('Open in notebook')}
        </Link>
      )}
      {made && !isPinned && !readOnly && (
        <Link onClick={() => void pinOutput(controller, id, port)}>{trans('Pin')}</Link>
      )}
      {!readOnly && (
        <Link onClick={() => void edit()}>
          {isPinned
            ? trans('Edit the pinned value')
            : made
              ? trans('Pin another value')
              : trans('Pin a value')}
        </Link>
      )}
      {isPinned && !readOnly && <Link onClick={unpinNow}>{trans('Unpin')}</Link>}
    </>
  );
}

/** The value that the kernel has, as JSON; null when it cannot be written so. */
async function present(controller: Controller, id: string, port: string): Promise<Json> {
  const link = controller.link.get();
  const found = await (link
    ? controller.attempt(() => link.request('pin_value', { path: controller.path(id), port }))
    : null);
  return found?.value ?? null;
}

interface LinkProps {
  readonly children: string;
  readonly onClick: () => void;
}

function Link({ children, onClick }: LinkProps) {
  return (
    <button type="button" className="iai-link" onClick={onClick}>
      {children}
    </button>
  );
}
