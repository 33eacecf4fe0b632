/** How much there is, and where. */
import { byteSize } from '../core/text';
import { useInspector, useShared } from './context';
import { scopeText } from './words';

export function Foot() {
  const { trans, language } = useShared();
  const { hello } = useInspector();
  if (!hello) {
    return <div className="iai-memory-foot">{trans('Opening the memory…')}</div>;
  }
  const { stats, owner, embedder, place } = hello;
  const count = (value: number): string => new Intl.NumberFormat(language).format(value);
  const scope = scopeText(hello.scope, {}, trans);
  const done = stats.vectors[embedder] ?? 0;
  return (
    <ul className="iai-memory-foot" aria-label={trans('How much there is')}>
      <Fact name={trans('Memories')} text={count(stats.memories)} />
      <Fact name={trans('Versions')} text={count(stats.versions)} />
      <Fact name={trans('Size')} text={byteSize(stats.bytes)} />
      <Fact
        name={trans('Embedder')}
        text={
          embedder
            ? trans('{model}, {done} of {count} versions', {
                model: embedder,
                done: count(done),
                count: count(stats.versions)
              })
            : trans('none: found by words')
        }
      />
      <Fact
        name={trans('Owner')}
        text={owner ? trans('process {pid}', { pid: owner }) : trans('a server')}
      />
      {scope && <Fact name={trans('Scope')} text={scope} />}
      <Fact name={trans('Place')} text={place} />
    </ul>
  );
}

function Fact({ name, text }: { readonly name: string; readonly text: string }) {
  return (
    <li title={text}>
      <span>{name}</span> {text}
    </li>
  );
}
