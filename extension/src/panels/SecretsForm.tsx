/** The secrets of the workspace: set and removed here, and never shown. */
import { useEffect, useRef, useState } from 'react';
import type { Secret } from '../api/types';
import { Fault } from './Answer';
import { useHost } from './host';
import type { Submission } from './QueueForm';
import { Text } from './Text';
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

/** A dialog can't open over this one, so what is removed is asked for in its own line. */
function SecretList({ secrets, onRemoved }: ListProps) {
  const { client, trans } = useHost();
  const { busy, fault, go } = useDoing();
  const [asked, setAsked] = useState('');
  const remove = async (name: string): Promise<void> => {
    if (await go(() => client.removeSecret(name))) {
      setAsked('');
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
            {asked === secret.name ? (
              <Removal
                secret={secret}
                busy={busy}
                onRemove={() => void remove(secret.name)}
                onKeep={() => setAsked('')}
              />
            ) : (
              <>
                <span className="iai-Panel-quiet">{secret.used_in.join(', ')}</span>
                <button
                  type="button"
                  className="jp-mod-styled"
                  aria-label={trans('Remove {name}', { name: secret.name })}
                  onClick={() => setAsked(secret.name)}
                >
                  {trans('Remove')}
                </button>
              </>
            )}
          </li>
        ))}
      </ul>
      <Fault text={fault} />
    </>
  );
}

interface RemovalProps {
  readonly secret: Secret;
  readonly busy: boolean;
  onRemove(): void;
  onKeep(): void;
}

function Removal({ secret, busy, onRemove, onKeep }: RemovalProps) {
  const { trans } = useHost();
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  const files = secret.used_in.join(', ');
  return (
    <>
      <span role="alert">
        {files
          ? trans('These flows name it and will not start: {files}', { files })
          : trans('What it holds is lost.')}
      </span>
      <button ref={keep} type="button" className="jp-mod-styled" onClick={onKeep}>
        {trans('Keep')}
      </button>
      <button
        type="button"
        className="jp-mod-styled jp-mod-warn"
        disabled={busy}
        onClick={onRemove}
      >
        {trans('Remove')}
      </button>
    </>
  );
}
