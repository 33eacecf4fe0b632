/** What an inspector shows, and what can be done in it; every answer comes from the kernel. */
import type { Trans } from '../core/messages';
import { Store } from '../core/store';
import { limitsOf, NO_LIMITS, type Fields } from './limits';
import { Replaced, type Line } from './line';
import type { Changes, Detail, Hello, Hit, Item } from './types';

export type View = 'timeline' | 'search';

interface Asked {
  /** Whether an answer is on its way. */
  readonly busy: boolean;
  /** Why there is none, as one sentence; "": nothing is wrong. */
  readonly fault: string;
}

export interface Timeline extends Asked {
  readonly items: readonly Item[];
  /** Whether there are earlier ones. */
  readonly more: boolean;
}

export interface Results extends Asked {
  /** What was asked; null: nothing yet. */
  readonly text: string | null;
  readonly hits: readonly Hit[];
  readonly more: boolean;
}

export interface Opened extends Asked {
  readonly id: string;
  /** Where it was opened; where there is room for one only, it takes the place of that list. */
  readonly view: View;
  /** Null until it is known. */
  readonly detail: Detail | null;
  /** What the person is about to do. */
  readonly doing: '' | 'edit' | 'erase';
}

export interface State {
  readonly view: View;
  readonly hello: Hello | null;
  readonly fields: Fields;
  /** Whether memories are shown, too, that were forgotten or are so no longer. */
  readonly ended: boolean;
  readonly timeline: Timeline;
  readonly results: Results;
  readonly opened: Opened | null;
  /** What is told to people who do not see the page. */
  readonly said: string;
  readonly fault: string;
}

const IDLE: Asked = { busy: false, fault: '' };
/** How many memories are asked for at once. */
export const PAGE = 50;
const HITS = 20;
/** How many are asked for again after a change; who has gone further begins anew. */
const MOST = 500;

export class Inspector {
  readonly state = new Store<State>({
    view: 'timeline',
    hello: null,
    fields: NO_LIMITS,
    ended: false,
    timeline: { ...IDLE, items: [], more: false },
    results: { ...IDLE, text: null, hits: [], more: false },
    opened: null,
    said: '',
    fault: ''
  });

  constructor(
    readonly line: Line,
    private readonly trans: Trans
  ) {}

  /** Read everything that is in sight anew. */
  async start(): Promise<void> {
    await this.guarded(
      async () => this.set({ hello: await this.line.ask('hello', {}), fault: '' }),
      fault => this.set({ fault })
    );
    await Promise.all([this.reload(), this.reopen()]);
  }

  show(view: View): void {
    this.set({ view });
  }

  /** Whether nothing can be changed: the past is shown, or the kernel is gone. */
  get isPast(): boolean {
    const { hello, fields } = this.state.get();
    return hello === null || hello.read_only || limitsOf(fields).as_of !== null;
  }

  limit(fields: Partial<Fields>, ended?: boolean): void {
    this.state.update(state => ({
      ...state,
      fields: { ...state.fields, ...fields },
      ended: ended ?? state.ended
    }));
    void this.reload(false);
    if ('asOf' in fields) {
      void this.reopen();
    }
  }

  /** The newest memories, and what was searched for; `all`: as many as are shown now. */
  async reload(all = true): Promise<void> {
    const { timeline, results } = this.state.get();
    const limit = all ? Math.min(MOST, Math.max(PAGE, timeline.items.length)) : PAGE;
    const shown = all ? results.hits.length : 0;
    const searched = results.text === null ? undefined : this.search(results.text, shown);
    await Promise.all([this.page(limit, []), searched]);
  }

  /** The page of earlier ones. */
  async earlier(): Promise<void> {
    const { items } = this.state.get().timeline;
    await this.page(PAGE, items);
    const more = this.state.get().timeline.items.length - items.length;
    this.say(this.trans('Earlier memories shown: {count}', { count: more }));
  }

  async search(text: string, shown = 0): Promise<void> {
    const put = (change: Partial<Results>): void =>
      this.state.update(state => ({ ...state, results: { ...state.results, ...change } }));
    put({ busy: true, fault: '', text });
    await this.guarded(
      async () => {
        const limits = limitsOf(this.state.get().fields);
        const limit = Math.max(HITS, shown);
        const { hits, more } = await this.line.ask('search', { text, limits, limit });
        put({ busy: false, hits, more });
        this.say(this.trans('Memories found: {count}', { count: hits.length }));
      },
      fault => put({ busy: false, fault, hits: [], more: false })
    );
  }

  moreHits(): Promise<void> {
    const { text, hits } = this.state.get().results;
    return this.search(text ?? '', hits.length + HITS);
  }

  async open(id: string): Promise<void> {
    const { opened: before, view } = this.state.get();
    const detail = before?.id === id ? before.detail : null;
    this.set({ opened: { id, view, detail, doing: '', busy: true, fault: '' } });
    await this.read(id);
  }

  close(): void {
    this.set({ opened: null });
  }

  begin(doing: Opened['doing']): void {
    this.put({ doing, fault: '' });
  }

  async edit(changes: Changes): Promise<void> {
    const { detail } = this.state.get().opened ?? {};
    if (!detail) {
      return;
    }
    const { id, n } = detail.item;
    await this.change(async () => {
      const { is_new: isNew } = await this.line.ask('edit', { id, n, ...changes });
      return isNew
        ? this.trans('Saved. What it said before is in its history.')
        : this.trans('Nothing is different, so nothing was saved.');
    });
  }

  async forget(): Promise<void> {
    const { id } = this.state.get().opened ?? {};
    if (id !== undefined) {
      await this.change(async () => {
        await this.line.ask('forget', { id });
        return this.trans('Forgotten: it is found no longer. Its history stays.');
      });
    }
  }

  async erase(): Promise<void> {
    const { id } = this.state.get().opened ?? {};
    if (id === undefined) {
      return;
    }
    const isDone = await this.change(async () => {
      const { items, episodes } = await this.line.ask('erase', { id });
      return this.trans('Erased. Gone from the file are versions: {versions}, texts: {episodes}.', {
        versions: items,
        episodes
      });
    }, true);
    if (isDone && this.state.get().opened?.id === id) {
      this.close();
    }
  }

  say(said: string): void {
    this.set({ said });
  }

  private async page(limit: number, shown: readonly Item[]): Promise<void> {
    const put = (change: Partial<Timeline>): void =>
      this.state.update(state => ({ ...state, timeline: { ...state.timeline, ...change } }));
    put({ busy: true, fault: '' });
    await this.guarded(
      async () => {
        const { fields, ended } = this.state.get();
        const last = shown.at(-1);
        const before = last ? ([last.at ?? 0, last.n] as const) : null;
        const asked = { limits: limitsOf(fields), before, limit, ended };
        const { items, more } = await this.line.ask('timeline', asked);
        put({ busy: false, items: [...shown, ...items], more });
      },
      fault => put({ busy: false, fault })
    );
  }

  /** Do what changes the opened memory, and say what came of it; then all is read anew. */
  private async change(work: () => Promise<string>, isGone = false): Promise<boolean> {
    const id = this.state.get().opened?.id;
    this.put({ busy: true, fault: '' });
    const isDone = await this.guarded(
      async () => {
        const said = await work();
        this.put({ busy: false, doing: '' }, id);
        this.say(said);
      },
      fault => this.put({ busy: false, fault }, id)
    );
    if (isDone) {
      void this.count();
      void this.reload();
      if (!isGone) {
        await this.reopen();
      }
    }
    return isDone;
  }

  private async reopen(): Promise<void> {
    const { opened } = this.state.get();
    if (opened) {
      await this.read(opened.id);
    }
  }

  private async read(id: string): Promise<void> {
    await this.guarded(
      async () => {
        const asOf = limitsOf(this.state.get().fields).as_of ?? null;
        const detail = await this.line.ask('detail', { id, as_of: asOf });
        this.put({ busy: false, detail }, id);
      },
      fault => this.put({ busy: false, fault, detail: null }, id)
    );
  }

  private async count(): Promise<void> {
    await this.guarded(
      async () => {
        const totals = await this.line.ask('stats', {});
        this.state.update(state => ({
          ...state,
          hello: state.hello && { ...state.hello, ...totals }
        }));
      },
      fault => this.set({ fault })
    );
  }

  /** Do something; true: it was done. An answer that a newer one replaces says nothing. */
  private async guarded(
    work: () => Promise<void>,
    failed: (fault: string) => void
  ): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof Replaced)) {
        const fault = error instanceof Error ? error.message : String(error);
        failed(fault);
      }
      return false;
    }
  }

  private set(change: Partial<State>): void {
    this.state.update(state => ({ ...state, ...change }));
  }

  /** Change what is opened, if it still is what is meant. */
  private put(change: Partial<Opened>, id?: string): void {
    this.state.update(state =>
      state.opened && (id === undefined || state.opened.id === id)
        ? { ...state, opened: { ...state.opened, ...change } }
        : state
    );
  }
}
