import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AgentView } from '../../src/canvas/agent';
import { plainServices } from '../../src/plain';
import { TRACE } from '../agents';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let root: Root;
let element: HTMLElement;

beforeEach(() => {
  element = document.body.appendChild(document.createElement('div'));
  root = createRoot(element);
});

afterEach(() => {
  act(() => root.unmount());
  document.body.replaceChildren();
});

interface Shown {
  readonly language?: string;
  readonly live?: boolean;
  readonly whole?: boolean;
  readonly onStop?: () => void;
}

function show(change: object = {}, { language = 'en', ...how }: Shown = {}): void {
  const services = plainServices({ place: element, language });
  const text = JSON.stringify({ ...TRACE, ...change });
  act(() => root.render(<AgentView text={text} services={services} label="Agent" {...how} />));
}

const said = (): string => element.textContent ?? '';
const all = (selector: string): HTMLElement[] => [
  ...element.querySelectorAll<HTMLElement>(selector)
];

function open(index: number): void {
  const details = all('details')[index] as HTMLDetailsElement;
  act(() => {
    details.open = true;
    details.dispatchEvent(new Event('toggle'));
  });
}

describe('an agent on the face of its node', () => {
  it('shows what it says, what it calls and what it took', () => {
    show({}, { live: true });
    expect(said()).toContain('Calling tools');
    expect(said()).toContain('claude-sonnet-5-5');
    expect(said()).toContain('Let me ask.');
    expect(said()).toContain('1,050 tokens');
    expect(said()).toContain('$0.0123');
    expect(said()).toContain('60% from the cache');
    const lines = all('.iai-agent-line').map(line => line.textContent);
    expect(lines).toEqual([
      '✓sqlquery: select month, avg(delay) from flights250 ms',
      '◔ask_expert'
    ]);
    expect(all('.iai-agent-line [role=img]').map(sign => sign.getAttribute('aria-label'))).toEqual([
      'Done',
      'Running'
    ]);
  });

  it('measures what it took against the limit that is nearest', () => {
    show({ limits: { steps: 2, tokens: null, cost: 0.0125, seconds: 900 } }, { live: true });
    const meters = all('[role=meter]');
    expect(meters.map(meter => meter.getAttribute('aria-label'))).toEqual(['Cost']);
  });

  it('measures what it took against all its limits when it is shown whole', () => {
    const limits = { steps: 1, tokens: null, cost: 0.5, seconds: 0 };
    show({ limits }, { live: true, whole: true });
    const meters = all('[role=meter]');
    expect(meters.map(meter => meter.getAttribute('aria-label'))).toEqual(['Steps', 'Cost']);
    expect(meters.map(meter => meter.getAttribute('aria-valuetext'))).toEqual([
      '1 of 1',
      '$0.0123 of $0.50'
    ]);
    expect(meters.map(meter => meter.dataset['near'])).toEqual(['true', undefined]);
  });

  it('says of a script that it costs nothing', () => {
    const usage = { input: 10, output: 5 };
    const turns = [{ n: 1, text: 'So.', usage, cost: null, seconds: 1, calls: [] }];
    show({ is_scripted: true, turns, totals: {} }, { whole: true });
    expect(said()).toContain('$0.00');
    expect(said()).not.toContain('price not known');
  });

  it('shows what is thought now, and folds it once something came of it', () => {
    const turn = { n: 1, thinking: 'Hm, well.', calls: [] };
    show({ turns: [turn] }, { whole: true, live: true });
    expect(said()).toContain('Hm, well.');
    show({ turns: [{ ...turn, text: 'So it is.' }] }, { whole: true, live: true });
    expect(said()).not.toContain('Hm, well.');
  });

  it('shows the end of a long text and the newest calls', () => {
    const call = TRACE.turns[0]?.calls[0];
    const calls = Array.from({ length: 9 }, (_, n) => ({ ...call, id: `c${n}`, name: `t${n}` }));
    show({ turns: [{ n: 1, text: `${'word '.repeat(500)}The end.`, calls }] });
    expect(all('.iai-agent-words')[0]?.textContent).toMatch(/^…word .{1,300}The end\.$/);
    expect(all('.iai-agent-tool').map(tool => tool.textContent)).toEqual(['t6', 't7', 't8']);
    expect(said()).toContain('Earlier calls: 6');
  });

  it('shows Markdown as plain words, where there is room for a few', () => {
    const text =
      '## Delays\n\n| month | delay |\n|---|--:|\n\n- **July**: `21.7` [here](https://a.b)';
    show({ state: 'thinking', turns: [{ n: 1, text, calls: [] }] }, { live: true });
    const words = all('.iai-agent-words')[0]?.textContent;
    expect(words).toBe('Delays\n| month | delay |\n- July: 21.7 here');
    expect(said()).toContain('Writing');
  });

  it('says that a script speaks', () => {
    show({ is_scripted: true });
    expect(said()).toContain('scripted model');
    show();
    expect(said()).not.toContain('scripted model');
  });

  it('is stopped while it works, and not afterwards', () => {
    const onStop = vi.fn();
    show({}, { live: true, onStop });
    act(() => all('button')[0]?.click());
    expect(onStop).toHaveBeenCalledOnce();
    show({ state: 'done' }, { live: true, onStop });
    expect(all('button')).toEqual([]);
    show({}, { live: false, onStop });
    expect(all('button')).toEqual([]);
    expect(said()).toContain('Interrupted');
  });

  it('tells that prices are not known', () => {
    const turns = TRACE.turns.map(turn => ({ ...turn, cost: null }));
    show({ turns, totals: { ...TRACE.totals, cost: 0 } });
    expect(said()).toContain('price not known');
  });

  it('speaks Vietnamese', () => {
    show({}, { language: 'vi', live: true });
    expect(said()).toContain('Đang gọi công cụ');
    expect(said()).toContain('1.050 token');
  });

  it('hides nothing that a stranger wrote', () => {
    const call = { name: 'a\u202eb', arguments: { x: '\u200bhi<b>' }, state: 'done' };
    show({ turns: [{ text: 'yes\u202eon', calls: [call] }], reason: '\u2066!', model: 'm\u200f' });
    for (const sign of ['202E', '200B', '2066', '200F']) {
      expect(said()).toContain(`<U+${sign}>`);
    }
    expect(all('b')).toEqual([]);
  });

  it('shows what is no trace as JSON', () => {
    const services = plainServices({ place: element, language: 'en' });
    act(() => root.render(<AgentView text='{"a":1}' services={services} label="Value" />));
    expect(said()).toContain('a: 1');
  });
});

describe('all that an agent did', () => {
  const says = (text: string): void =>
    show({ turns: [{ n: 1, text, calls: [] }] }, { whole: true, live: true });

  it('reads as Markdown, of which nothing acts and nothing is fetched', () => {
    says(
      '## Delays\n\n- **July**: `21.7`\n\n<img src=x onerror=alert(1)>\n\n' +
        '![seen](https://example.org/a.png) [here](javascript:alert(1))'
    );
    expect(all('.iai-markdown h2')[0]?.textContent).toBe('Delays');
    expect(all('.iai-markdown li strong')[0]?.textContent).toBe('July');
    expect(all('img, script, a')).toEqual([]);
    expect(said()).toContain('<img src=x onerror=alert(1)>');
    expect(said()).toContain('seen');
  });

  it('keeps what stands there while more of it comes', () => {
    says('One.\n\n- a\n\nTw');
    const [first] = all('.iai-markdown p');
    says('One.\n\n- a\n\nTwo.');
    expect(all('.iai-markdown p')[0]).toBe(first);
    expect(all('.iai-markdown p').map(part => part.textContent)).toEqual(['One.', 'Two.']);
  });

  it('stands in turns, with thoughts and calls to open', () => {
    show({}, { whole: true, live: true });
    expect(all('.iai-agent-turn')).toHaveLength(2);
    expect(said()).toContain('Turn 1');
    expect(said()).not.toContain('Which table?');
    open(0);
    expect(said()).toContain('Which table?');
    expect(said()).not.toContain('21.7');
    open(1);
    expect(said()).toContain('21.7');
    expect(said()).toContain('From tables of this step');
    expect(
      all('.iai-agent-details [role=group]').map(part => part.getAttribute('aria-label'))
    ).toEqual(['Arguments', 'Result']);
  });

  it('has the agents that were called inside of their calls', () => {
    show({}, { whole: true, live: true });
    expect(all('.iai-agent-call')[1]?.textContent).toContain('$0.50');
    open(2);
    expect(all('.iai-agent-whole .iai-agent-whole')).toHaveLength(1);
    expect(said()).toContain('scripted model');
  });

  it('has the plan, what was left out, and why it stopped', () => {
    const reason = 'The limit of $0.50 is reached.';
    show({ state: 'stopped', reason, omitted: 3, is_cut: true }, { whole: true });
    expect(all('.iai-agent-plan li').map(item => item.textContent)).toEqual([
      '✓ Find the table',
      '○ Answer'
    ]);
    expect(said()).toContain(reason);
    expect(said()).toContain('Earlier turns that are left out here: 3');
    expect(said()).toContain('Long texts are cut here.');
  });

  it('says aloud what begins and ends, and not every word', () => {
    show({}, { whole: true, live: true });
    const news = (): string => all('[role=status]')[0]?.textContent ?? '';
    expect(news()).toBe('');
    const [one, two] = TRACE.turns;
    show({ turns: [one, { ...two, text: 'Let me ask. And' }] }, { whole: true, live: true });
    expect(news()).toBe('');
    const calls = two?.calls.map(call => ({ ...call, state: 'done' }));
    show({ turns: [one, { ...two, calls }] }, { whole: true, live: true });
    expect(news()).toBe('ask_expert: Done');
    show({ turns: [one, { ...two, calls }], state: 'done' }, { whole: true, live: true });
    expect(news()).toBe('Done');
  });

  it('keeps what is open while more comes', () => {
    show({}, { whole: true, live: true });
    open(1);
    const [one, two] = TRACE.turns;
    show({ turns: [one, { ...two, text: 'More.' }] }, { whole: true, live: true });
    expect(said()).toContain('21.7');
    expect(said()).toContain('More.');
  });
});
