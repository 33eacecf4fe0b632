/** All commands with their keys, to search and to do. */
import { useContext, useMemo, useState } from 'react';
import type { Command } from '../../core/commands';
import { spellKeys } from '../../core/keys';
import { folded } from '../../core/search';
import { useController, useStore } from '../hooks';
import { Picker } from './Picker';
import { CommandsContext, useTrans } from './use';

export function CommandList() {
  const controller = useController();
  return useStore(controller.view).commandList ? <Box /> : null;
}

function Box() {
  const controller = useController();
  const trans = useTrans();
  const list = useContext(CommandsContext);
  const [query, setQuery] = useState('');
  const found = useMemo(() => {
    const words = folded(query).split(/\s+/).filter(Boolean);
    return list.filter(({ label, category }) => {
      const text = folded(`${category} ${label}`);
      return words.every(word => text.includes(word));
    });
  }, [list, query]);
  const close = (): void => {
    controller.look({ commandList: false });
    controller.surface?.back();
  };
  return (
    <div className="iai-command-list">
      <Picker
        label={trans('All commands')}
        placeholder={trans('Search commands')}
        items={found}
        keyOf={command => command.id}
        disabled={command => !command.enabled()}
        show={command => (
          <span className="iai-command-line">
            <span className="iai-command-category">{command.category}</span>
            <span className="iai-command-label">
              {command.label}
              {command.toggled?.() && <span className="iai-badge">{trans('on')}</span>}
              <Why command={command} />
            </span>
            <span className="iai-keys">
              {command.keys.map(keys => (
                <kbd key={keys}>{spellKeys(keys)}</kbd>
              ))}
            </span>
          </span>
        )}
        empty={trans('No command is called that.')}
        query={query}
        onQuery={setQuery}
        onPick={command => {
          close();
          void command.run();
        }}
        onClose={close}
      />
    </div>
  );
}

/** Why it cannot be done now. */
function Why({ command }: { readonly command: Command }) {
  const reason = command.enabled() ? '' : command.why?.();
  return reason ? <span className="iai-command-why">{reason}</span> : null;
}
