/** The search in what all runs wrote; each line that is found leads to its run and step. */
import type { FoundLine } from '../api/types';
import { Check } from '../canvas/chrome/Check';
import { Fault } from './Answer';
import { Search } from './Search';
import { useHost } from './host';
import type { RunsStore, Search as Wanted } from './runsStore';
import { useAsked, useSettled, useStore } from './use';
import { useRoving } from './useRoving';
import { fileName, when } from './words';

/** How many lines one search shows. */
const MOST = 200;

export function SearchField({ store }: { readonly store: RunsStore }) {
  const { trans } = useHost();
  const { search } = useStore(store.state);
  return (
    <div className="iai-Panel-row">
      <Search
        label={trans('Search the logs of all runs')}
        text={search.text}
        onText={text => store.search({ text })}
      />
      <Check
        className="iai-Panel-check"
        label={trans('Expression')}
        tip={trans('Read the text as a regular expression')}
        checked={search.isPattern}
        onChecked={isPattern => store.search({ isPattern })}
      />
    </div>
  );
}

export function Results({ store }: { readonly store: RunsStore }) {
  const { client, trans } = useHost();
  const { search } = useStore(store.state);
  const pattern = useSettled(patternOf(search));
  const list = useRoving<HTMLUListElement>('button');
  const { result, error } = useAsked(() => client.search(pattern, MOST), pattern);
  const count = result?.lines.length ?? 0;
  return (
    <section aria-label={trans('Lines that were found')}>
      <Fault text={error} />
      <p className="iai-Panel-quiet" role="status">
        {error
          ? ''
          : !result
            ? trans('Loading…')
            : result.is_cut
              ? trans('The newest {count} lines', { count })
              : count === 0
                ? trans('No line of any run has this text.')
                : trans('Lines found: {count}', { count })}
      </p>
      {!error && count > 0 && (
        <ul className="iai-Runs" aria-label={trans('Lines that were found')} {...list}>
          {result?.lines.map((line, index) => (
            <Line
              key={index}
              line={line}
              onChoose={() =>
                store.choose(line.run_id, {
                  step: line.step,
                  text: search.isPattern ? '' : search.text.trim()
                })
              }
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function Line({ line, onChoose }: { readonly line: FoundLine; onChoose(): void }) {
  const { language } = useHost();
  return (
    <li>
      <button type="button" className="iai-Runs-run" title={line.flow} onClick={onChoose}>
        <span className="iai-Runs-head">
          <b>{fileName(line.flow)}</b> <span>{line.step}</span>
        </span>
        <span className="iai-Panel-quiet">{when(line.at, language)}</span>
        <code className="iai-Runs-line">{line.text.trim()}</code>
      </button>
    </li>
  );
}

/** The regular expression of a search; a plain text is looked for as it is. */
export function patternOf({ text, isPattern }: Wanted): string {
  const wanted = text.trim();
  return isPattern ? wanted : wanted.replace(/[\\^$.|?*+()[\]{}#&~-]/g, '\\$&');
}
