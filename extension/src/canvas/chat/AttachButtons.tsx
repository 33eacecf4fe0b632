/** Buttons that attach a table of the kernel, a file of the workspace, or a picture. */
import { useRef, useState } from 'react';
import type { Attachment } from '../../core/chat';
import type { FileInfo, TableInfo } from '../../core/chatLink';
import { byteSize, visible } from '../../core/text';
import { Icon } from '../chrome/icons';
import { Picker } from '../chrome/Picker';
import { treeOf } from '../dom';
import { PICTURE_TYPES } from './pictures';
import { useChat } from './context';
import { useFound } from './useFound';

interface Props {
  readonly onAttach: (attachment: Attachment) => void;
  readonly onFiles: (files: readonly File[]) => void;
}

type Kind = 'table' | 'file';

export function AttachButtons({ onAttach, onFiles }: Props) {
  const { trans } = useChat();
  const [open, setOpen] = useState<Kind | null>(null);
  const buttons = { table: useRef<HTMLButtonElement>(null), file: useRef<HTMLButtonElement>(null) };
  const images = useRef<HTMLInputElement>(null);
  const pop = useRef<HTMLDivElement>(null);
  const labels = { table: trans('Table'), file: trans('File') };
  const pick = (attachment: Attachment): void => {
    setOpen(null);
    onAttach(attachment);
  };
  const close = (): void => {
    // Whoever left it for another place stays there.
    if (open && pop.current?.contains(treeOf(pop.current).activeElement)) {
      buttons[open].current?.focus();
    }
    setOpen(null);
  };
  return (
    <div className="iai-chat-attach" role="group" aria-label={trans('Attach')}>
      {(['table', 'file'] as const).map(kind => (
        <button
          key={kind}
          ref={buttons[kind]}
          type="button"
          className="iai-button"
          aria-haspopup="dialog"
          aria-expanded={open === kind}
          onClick={() => setOpen(open === kind ? null : kind)}
        >
          <Icon name="add" />
          {labels[kind]}
        </button>
      ))}
      <button type="button" className="iai-button" onClick={() => images.current?.click()}>
        <Icon name="add" />
        {trans('Picture')}
      </button>
      <input
        ref={images}
        type="file"
        hidden
        multiple
        accept={PICTURE_TYPES.join(',')}
        aria-label={trans('Picture')}
        onChange={event => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = ''; // the same one can be chosen again
          onFiles(files);
        }}
      />
      {open && (
        <div className="iai-chat-pop" ref={pop}>
          {open === 'table' ? (
            <TablePicker onPick={pick} onClose={close} />
          ) : (
            <FilePicker onPick={pick} onClose={close} />
          )}
        </div>
      )}
    </div>
  );
}

interface PickerProps {
  readonly onPick: (attachment: Attachment) => void;
  readonly onClose: () => void;
}

function TablePicker({ onPick, onClose }: PickerProps) {
  const { chats, trans } = useChat();
  const [query, setQuery] = useState('');
  const [tables, fault] = useFound<TableInfo>(() => chats.tables(), '');
  const wanted = query.trim().toLocaleLowerCase();
  return (
    <Picker
      label={trans('Attach a table of the kernel')}
      placeholder={trans('Name of a table')}
      items={(tables ?? []).filter(({ name }) => name.toLocaleLowerCase().includes(wanted))}
      keyOf={({ name }) => name}
      show={({ name, rows, columns }) => (
        <span className="iai-chat-choice">
          <bdi>{visible(name)}</bdi>
          <span className="iai-muted">
            {trans('{rows} rows, {columns} columns', { rows, columns })}
          </span>
        </span>
      )}
      empty={
        fault ||
        (tables === null
          ? trans('Looking…')
          : trans('No variable of the kernel is a table of that name. Make one in a cell.'))
      }
      query={query}
      onQuery={setQuery}
      onPick={({ name }) => onPick({ kind: 'table', name })}
      onClose={onClose}
    />
  );
}

function FilePicker({ onPick, onClose }: PickerProps) {
  const { chats, trans } = useChat();
  const [query, setQuery] = useState('');
  const [files, fault] = useFound<FileInfo>(() => chats.files(query.trim()), query.trim());
  return (
    <Picker
      label={trans('Attach a file of the workspace')}
      placeholder={trans('Part of its path')}
      items={files ?? []}
      keyOf={({ path }) => path}
      show={({ path, bytes }) => (
        <span className="iai-chat-choice">
          <bdi>{visible(path)}</bdi>
          <span className="iai-muted">{byteSize(bytes)}</span>
        </span>
      )}
      empty={
        fault || (files === null ? trans('Looking…') : trans('No file of the workspace fits.'))
      }
      query={query}
      onQuery={setQuery}
      onPick={({ path }) => onPick({ kind: 'file', path })}
      onClose={onClose}
    />
  );
}
