/** One memory: what it says, whence it comes, its versions, and what can be done with it. */
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { shorten, visible } from '../core/text';
import { useInspector, useShared, useStore } from './context';
import { EditForm } from './EditForm';
import { History } from './History';
import type { Opened } from './model';
import { Bar } from './Search';
import { Chips, Fault } from './Timeline';
import type { Detail, Item } from './types';
import { aboutText, scopeText, spanText, whenText } from './words';

export function DetailPanel({ opened }: { readonly opened: Opened }) {
  const { model, trans } = useShared();
  const { detail, busy, fault, doing } = opened;
  const title = useRef<HTMLHeadingElement>(null);
  const heading = useId();
  useEffect(() => title.current?.focus(), []);
  return (
    <section className="iai-memory-detail" aria-labelledby={heading} aria-busy={busy}>
      <div className="iai-memory-row-of">
        <button type="button" className="iai-memory-button" onClick={() => model.close()}>
          {trans('Back')}
        </button>
        <h3 id={heading} ref={title} tabIndex={-1}>
          {detail ? titleOf(detail.item) : trans('Memory')}
        </h3>
      </div>
      {fault && <Fault text={fault} />}
      {detail && doing === 'edit' && (
        <EditForm key={detail.item.n} item={detail.item} busy={busy} />
      )}
      {detail && doing !== 'edit' && (
        <>
          <Actions detail={detail} opened={opened} />
          <Said item={detail.item} />
          <Facts detail={detail} />
          <History detail={detail} />
        </>
      )}
    </section>
  );
}

function titleOf(item: Item): string {
  return aboutText(item) || visible(shorten(item.text, 60));
}

function Actions({ detail, opened }: { readonly detail: Detail; readonly opened: Opened }) {
  const { model, trans } = useShared();
  useInspector(); // the past begins and ends with the filters
  const gone = useStore(model.line.gone);
  if (model.isPast) {
    return (
      <p className="iai-memory-quiet">
        {trans('This is how it stood then. The past cannot be changed.')}
      </p>
    );
  }
  if (opened.doing === 'erase') {
    return <Erasure detail={detail} busy={opened.busy || gone} />;
  }
  const off = opened.busy || gone;
  return (
    <div className="iai-memory-row-of" role="group" aria-label={trans('Actions')}>
      {detail.stands && (
        <>
          <Action disabled={off} onClick={() => model.begin('edit')}>
            {trans('Edit')}
          </Action>
          <Action disabled={off} onClick={() => void model.forget()}>
            {trans('Forget')}
          </Action>
        </>
      )}
      <Action disabled={off} onClick={() => model.begin('erase')}>
        {trans('Erase…')}
      </Action>
    </div>
  );
}

interface ActionProps {
  readonly disabled: boolean;
  readonly children: ReactNode;
  onClick(): void;
}

function Action({ disabled, children, onClick }: ActionProps) {
  return (
    <button type="button" className="iai-memory-button" disabled={disabled} onClick={onClick}>
      {children}
    </button>
  );
}

function Erasure({ detail, busy }: { readonly detail: Detail; readonly busy: boolean }) {
  const { model, trans } = useShared();
  const cancel = useRef<HTMLButtonElement>(null);
  const [title, text] = [useId(), useId()];
  useEffect(() => cancel.current?.focus(), []);
  return (
    <div
      className="iai-memory-erasure"
      role="alertdialog"
      aria-labelledby={title}
      aria-describedby={text}
    >
      <h4 id={title}>{trans('Erase this memory for good?')}</h4>
      <p id={text}>
        {trans(
          'All its versions ({count}), the text in which it was told and what else was drawn from that text are removed from the file and its log, to the last byte. This cannot be undone. Exports and copies that were made before are not reached.',
          { count: detail.count }
        )}
      </p>
      <div className="iai-memory-row-of">
        <button
          type="button"
          className="iai-memory-button"
          ref={cancel}
          disabled={busy}
          onClick={() => model.begin('')}
        >
          {trans('Keep it')}
        </button>
        <button
          type="button"
          className="iai-memory-button"
          data-danger
          disabled={busy}
          onClick={() => void model.erase()}
        >
          {busy ? trans('Erasing…') : trans('Erase for good')}
        </button>
      </div>
    </div>
  );
}

function Said({ item }: { readonly item: Item }) {
  const { trans } = useShared();
  const value = item.value === null ? '' : JSON.stringify(item.value, null, 2);
  return (
    <>
      <p className="iai-memory-body-text">{visible(item.text)}</p>
      {item.is_cut && (
        <p className="iai-memory-quiet">
          {trans('There is more of this text: memory.get(id) has all of it.')}
        </p>
      )}
      {value && value !== item.text && (
        <>
          <h4>{trans('Value')}</h4>
          <pre className="iai-memory-value">{visible(value)}</pre>
        </>
      )}
    </>
  );
}

function Facts({ detail }: { readonly detail: Detail }) {
  const { trans, language } = useShared();
  const { item, episode } = detail;
  const when = (at: number | null): string => whenText(at, language);
  const told = episode && episode.text !== item.text ? visible(episode.text) : '';
  const run = episode
    ? [episode.run_id, episode.node_id].filter(Boolean).map(visible).join(' · ')
    : '';
  return (
    <dl className="iai-memory-facts">
      <Fact name={trans('Kind and tags')}>
        <Chips item={item} />
      </Fact>
      <Fact name={trans('Is so')}>{spanText(item.valid_from, item.valid_to, trans, language)}</Fact>
      <Fact name={trans('Recorded')}>
        {spanText(item.recorded_from, item.recorded_to, trans, language)}
      </Fact>
      {item.expires_at !== null && <Fact name={trans('Expires')}>{when(item.expires_at)}</Fact>}
      <Fact name={trans('Said')}>
        {[visible(item.role), when(item.at)].filter(Boolean).join(', ')}
      </Fact>
      {told && <Fact name={trans('Told as')}>{told}</Fact>}
      {item.source && <Fact name={trans('Source')}>{visible(item.source)}</Fact>}
      {run && <Fact name={trans('Run and node')}>{run}</Fact>}
      <Share name={trans('Importance')} value={item.importance} />
      <Share name={trans('Confidence')} value={item.confidence} />
      <Fact name={trans('Scope')}>{scopeText(item.scope, {}, trans) || trans('nobody’s')}</Fact>
      <Fact name={trans('Id')}>
        <code>{visible(item.id)}</code>
      </Fact>
    </dl>
  );
}

function Share({ name, value }: { readonly name: string; readonly value: number }) {
  return (
    <Fact name={name}>
      <span className="iai-memory-share">
        {value.toFixed(2)}
        <Bar value={value} most={1} />
      </span>
    </Fact>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
