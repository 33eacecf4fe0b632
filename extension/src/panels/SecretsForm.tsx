/** The secrets of the workspace: set and removed here, and never shown. */
import { useEffect, useState } from 'react';
import type { Secret } from '../api/types';
import { Fault } from './Answer';
import { useHost } from './host';
import { Text, type Submission } from './QueueForm';
import { said, useAsked, useDoing, useFirstField } from './use';

interface Props {
  readonly submission: Submission;
  /** A secret was set. */
  onSet(name: string): void;
}

export function SecretsForm({ submission, onSet }: Props) {
  const { client, trans } = useHost();
  const [round, setRound] = useState(0);
  const { result: secrets, error } = useAsked(() => client.secrets(), String(round));
  const [name, setName] = useState('');
  const [value, setValue] = useState('');
  const [fault, setFault] = useState('');
  const form = useFirstField<HTMLDivElement>(secrets !== null || error !== '');
  useEffect(() => {
    submission.set(async () => {
      if (!name.trim() || !value) {
        setFault(trans('Give a name and a value.'));
        return false;
      }
      try {
        onSet((await client.setSecret(name.trim(), value)).name);
        setValue('');
        return true;
      } catch (refused) {
        setFault(said(refused));
        return false;
      }
    });
  });
  return (
    <div ref={form} className="iai-Dialog">
      <p className="iai-Panel-quiet">
        {trans('Nodes name a secret as {example}. Nothing shows what it holds.', {
          example: 'secret:NAME'
        })}
      </p>
      <SecretList secrets={secrets ?? []} onRemoved={() => setRound(round + 1)} />
      <Text label={trans('Name')} placeholder="OPENAI_API_KEY" value={name} onChange={setName} />
      <label className="iai-Panel-field">
        <span>{trans('Value')}</span>
        <input
          className="jp-mod-styled"
          type="password"
          autoComplete="new-password"
          value={value}
          onChange={event => setValue(event.currentTarget.value)}
        />
      </label>
      {secrets?.some(each => each.name === name.trim()) && (
        <p className="iai-Panel-quiet">{trans('This replaces what {name} holds.', { name })}</p>
      )}
      <Fault text={fault || error} />
    </div>
  );
}

interface ListProps {
  readonly secrets: readonly Secret[];
  onRemoved(): void;
}

function SecretList({ secrets, onRemoved }: ListProps) {
  const { client, trans, confirm } = useHost();
  const { busy, fault, go } = useDoing();
  const remove = async ({ name, used_in }: Secret): Promise<void> => {
    const title = trans('Remove secret {name}?', { name });
    const files = used_in.join(', ');
    const body = files
      ? trans('These flows name it and will not start: {files}', { files })
      : trans('What it holds is lost.');
    if (
      (await confirm(title, body, trans('Remove'))) &&
      (await go(() => client.removeSecret(name)))
    ) {
      onRemoved();
    }
  };
  if (secrets.length === 0) {
    return null;
  }
  return (
    <>
      <ul className="iai-Secrets" aria-label={trans('Secrets')}>
        {secrets.map(secret => (
          <li key={secret.name} className="iai-Panel-row">
            <code>{secret.name}</code>
            <span className="iai-Panel-quiet">{secret.used_in.join(', ')}</span>
            <button
              type="button"
              className="jp-mod-styled"
              disabled={busy}
              aria-label={trans('Remove {name}', { name: secret.name })}
              onClick={() => void remove(secret)}
            >
              {trans('Remove')}
            </button>
          </li>
        ))}
      </ul>
      <Fault text={fault} />
    </>
  );
}
