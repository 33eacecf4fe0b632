/** A Markdown note: shown by the host's renderer, edited with a double click or Enter. */
import { NodeResizer, type NodeProps } from '@xyflow/react';
import { memo, useEffect, useRef } from 'react';
import { attemptEdit } from '../../core/attempt';
import { setNote } from '../../core/edits/notes';
import type { Note } from '../../core/flow';
import { useController, useSelect } from '../hooks';
import type { NoteNode } from './scene';

export const NoteCard = memo(
  function NoteCard({ data: { note }, selected }: NodeProps<NoteNode>) {
    const controller = useController();
    const { trans } = controller.services;
    const editing = useSelect(controller.view, view => view.renaming === note.id);
    return (
      <div
        className="iai-note"
        data-selected={selected || undefined}
        style={note.color ? { borderColor: note.color } : undefined}
        onDoubleClick={event => {
          event.stopPropagation();
          if (!controller.readOnly) {
            controller.look({ renaming: note.id });
          }
        }}
      >
        {!controller.readOnly && (
          <NodeResizer
            isVisible={selected}
            minWidth={96}
            minHeight={48}
            onResizeEnd={(_event, { x, y, width, height }) =>
              controller.edit(trans('Resize the note'), flow =>
                setNote(flow, note.id, {
                  x: Math.round(x),
                  y: Math.round(y),
                  width: Math.round(width),
                  height: Math.round(height)
                })
              )
            }
          />
        )}
        {editing ? <NoteEditor note={note} /> : <NoteText note={note} />}
      </div>
    );
  },
  (before, next) => before.data === next.data && before.selected === next.selected
);

function NoteText({ note }: { readonly note: Note }) {
  const { services } = useController();
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const target = element.current;
    if (!target || !note.text) {
      return undefined;
    }
    const bundle = { data: { 'text/markdown': note.text } };
    const mounted = services.mountOutput(target, { bundle, trusted: false });
    return () => mounted.dispose();
  }, [services, note.text]);
  return (
    <>
      {!note.text && <p className="iai-note-empty">{services.trans('Double-click to write')}</p>}
      <div className="iai-note-text nowheel" key={note.text} ref={element} />
    </>
  );
}

function NoteEditor({ note }: { readonly note: Note }) {
  const controller = useController();
  const { services } = controller;
  const element = useRef<HTMLDivElement>(null);
  const text = useRef(note.text);
  useEffect(() => {
    const target = element.current;
    if (!target) {
      return undefined;
    }
    const first = text.current;
    const mounted = services.mountEditor(target, {
      language: 'markdown',
      value: first,
      readOnly: false,
      label: services.trans('Text of the note'),
      onChange: value => {
        text.current = value;
      },
      onDone: () => {
        controller.look({ renaming: null });
        controller.surface?.focus(note.id);
      }
    });
    const focusable = 'textarea, [contenteditable="true"]';
    requestAnimationFrame(() => target.querySelector<HTMLElement>(focusable)?.focus());
    return () => {
      mounted.dispose();
      const value = text.current;
      if (value !== first) {
        attemptEdit(controller, services.trans('Edit the note'), flow =>
          setNote(flow, note.id, { text: value })
        );
      }
    };
  }, [controller, services, note.id]);
  return (
    <div
      className="iai-note-editor nodrag nopan nowheel"
      ref={element}
      onDoubleClick={event => event.stopPropagation()}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          controller.look({ renaming: null });
          controller.surface?.focus(note.id);
        }
        event.stopPropagation();
      }}
      onBlur={event => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          controller.look({ renaming: null });
        }
      }}
    />
  );
}
