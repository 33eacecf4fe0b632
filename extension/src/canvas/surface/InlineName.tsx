/** A title while it is being edited in its place. */
import { useEffect, useRef, useState } from 'react';
import { attemptEdit } from '../../core/attempt';
import { renameGroup } from '../../core/edits/groups';
import { setTitle } from '../../core/edits/nodes';
import { useController } from '../hooks';

interface Props {
  /** Of a node or of a group. */
  readonly id: string;
  readonly value: string;
  readonly label: string;
}

export function InlineName({ id, value, label }: Props) {
  const controller = useController();
  const { trans } = controller.services;
  const [text, setText] = useState(value);
  const field = useRef<HTMLInputElement>(null);
  const done = useRef(false);
  useEffect(() => {
    field.current?.focus();
    field.current?.select();
  }, []);
  const finish = (keep: boolean): void => {
    if (done.current) {
      return;
    }
    done.current = true;
    const title = text.trim();
    if (keep && title !== value) {
      attemptEdit(controller, trans('Rename'), flow =>
        Object.hasOwn(flow.nodes, id) ? setTitle(flow, id, title) : renameGroup(flow, id, title)
      );
    }
    controller.look({ renaming: null });
    controller.surface?.focus(id);
  };
  return (
    <input
      ref={field}
      className="iai-inline-name nodrag nopan"
      aria-label={label}
      value={text}
      onChange={event => setText(event.target.value)}
      onBlur={() => finish(true)}
      onDoubleClick={event => event.stopPropagation()}
      onKeyDown={event => {
        event.stopPropagation();
        if (event.key === 'Enter' || event.key === 'Escape') {
          event.preventDefault();
          finish(event.key === 'Enter');
        }
      }}
    />
  );
}
