/** Offers ways on when a run was refused for a key that nobody has set. */
import { useState } from 'react';
import { attemptEdit } from '../../core/attempt';
import type { View } from '../../core/controller';
import { setConfig } from '../../core/edits/nodes';
import type { Flow } from '../../core/flow';
import { visible } from '../../core/text';
import { useController, useStore } from '../hooks';
import { useTrans } from './use';

type Keyless = NonNullable<View['keyless']>;

export function KeyForm() {
  const controller = useController();
  const { keyless } = useStore(controller.view);
  return keyless ? <Box key={keyless.secret} keyless={keyless} /> : null;
}

function Box({ keyless }: { readonly keyless: Keyless }) {
  const controller = useController();
  const trans = useTrans();
  const title = trans('A key is missing');
  const close = (): void => {
    controller.look({ keyless: null });
    controller.surface?.back();
  };
  const goOn = (): void => {
    close();
    void controller.run(keyless.mode, keyless.nodes);
  };
  return (
    <div
      className="iai-dialog"
      role="dialog"
      aria-label={title}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          close();
        }
      }}
    >
      <Paste keyless={keyless} title={title} onSet={goOn} onClose={close} />
      <Others keyless={keyless} onClose={close} onGoOn={goOn} />
    </div>
  );
}

interface PasteProps {
  readonly keyless: Keyless;
  readonly title: string;
  onSet(): void;
  onClose(): void;
}

/** The key becomes a secret of the workspace; the flow only names it. */
function Paste({ keyless: { node, secret }, title, onSet, onClose }: PasteProps) {
  const controller = useController();
  const trans = useTrans();
  const [value, setValue] = useState('');
  const [busy, setBusy] = useState(false);
  const set = async (): Promise<void> => {
    setBusy(true);
    const link = controller.link.get();
    const args = { name: secret, value };
    const done = link && (await controller.attempt(() => link.request('set_secret', args)));
    setBusy(false);
    if (done) {
      onSet();
    }
  };
  return (
    <form
      onSubmit={event => {
        event.preventDefault();
        void set();
      }}
    >
      <h2>{title}</h2>
      <p>
        {trans('{node} needs the secret {secret}, which is not set.', {
          node: visible(node),
          secret
        })}
      </p>
      <label className="iai-field">
        <span>{trans('Key, kept as an encrypted secret of this workspace')}</span>
        <input
          className="iai-input"
          type="password"
          autoComplete="off"
          autoFocus
          required
          value={value}
          readOnly={busy}
          onChange={event => setValue(event.currentTarget.value)}
        />
      </label>
      <div className="iai-row">
        <button type="submit" className="iai-button iai-primary" disabled={busy || !value}>
          {trans('Keep it and run')}
        </button>
        <button type="button" className="iai-button" onClick={onClose}>
          {trans('Cancel')}
        </button>
      </div>
    </form>
  );
}

interface OthersProps {
  readonly keyless: Keyless;
  onClose(): void;
  onGoOn(): void;
}

/** What else a node that asks a model may do: another server, or no model at all. */
function Others({ keyless: { node }, onClose, onGoOn }: OthersProps) {
  const controller = useController();
  const trans = useTrans();
  const flow = useStore(controller.document.flow);
  const catalog = useStore(controller.catalog);
  const type = catalog.get(flow.nodes[node]?.type ?? '');
  const fields = type?.config_ports ?? {};
  if (!Object.hasOwn(fields, 'base_url') || !Object.hasOwn(fields, 'script')) {
    return null;
  }
  const toServer = (): void => {
    onClose();
    controller.look({ scope: [] });
    controller.inspect(node);
  };
  const play = (): void => {
    const label = trans('Use the scripted model');
    const change = (now: Flow): Flow => scripted(now, node, trans('This is what the script says.'));
    attemptEdit(controller, label, change);
    onGoOn();
  };
  return (
    <div className="iai-section">
      <p className="iai-muted">{trans('Or go on without this key:')}</p>
      <div className="iai-row">
        <button type="button" className="iai-button" onClick={toServer}>
          {trans('Give the address of another server')}
        </button>
        <button type="button" className="iai-button" onClick={play}>
          {trans('Use the scripted model')}
        </button>
      </div>
    </div>
  );
}

/** The flow with a node that plays its script; one is begun where there is none. */
function scripted(flow: Flow, node: string, words: string): Flow {
  const played = setConfig(flow, node, 'model', 'scripted');
  const script = flow.nodes[node]?.config?.script;
  return script ? played : setConfig(played, node, 'script', [{ text: words }]);
}
