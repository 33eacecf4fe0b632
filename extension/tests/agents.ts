import type { Wait } from '../src/core/protocol';

/** An agent in the middle of its work, as the Python side tells it. */
const USAGE = { input: 100, cache_write_5m: 300, cache_write_1h: 0, cache_read: 600, output: 50 };
const NOTHING = { input: 0, cache_write_5m: 0, cache_write_1h: 0, cache_read: 0, output: 0 };

const EXPERT = {
  kind: 'agent-trace/1',
  agent: 'expert',
  model: 'scripted',
  is_scripted: true,
  state: 'thinking',
  turns: [],
  totals: {
    steps: 2,
    input: 10,
    output: 5,
    cache_read: 0,
    cache_write: 0,
    cost: 0.5,
    currency: 'USD',
    seconds: 1
  },
  limits: { steps: 50, tokens: null, cost: null, seconds: null },
  reason: '',
  plan: []
};

export const TRACE = {
  kind: 'agent-trace/1',
  agent: 'analyst',
  model: 'claude-sonnet-5-5',
  is_scripted: false,
  state: 'calling',
  turns: [
    {
      n: 1,
      text: '',
      thinking: 'Which table?',
      stop_reason: 'tool_use',
      usage: USAGE,
      cost: 0.0123,
      seconds: 2.5,
      calls: [
        {
          id: 'c1',
          name: 'sql',
          arguments: { query: 'select month, avg(delay) from flights' },
          state: 'done',
          result: '[{"month":7,"delay":21.7}]',
          seconds: 0.25,
          source: 'tables of this step'
        }
      ]
    },
    {
      n: 2,
      text: 'Let me ask.',
      thinking: '',
      stop_reason: 'tool_use',
      usage: NOTHING,
      cost: null,
      seconds: 0,
      calls: [
        {
          id: 'c2',
          name: 'ask_expert',
          arguments: {},
          state: 'running',
          result: '',
          seconds: 0,
          source: 'an agent',
          trace: EXPERT
        }
      ]
    }
  ],
  totals: {
    steps: 1,
    input: 1000,
    output: 50,
    cache_read: 600,
    cache_write: 300,
    cost: 0.0123,
    currency: 'USD',
    seconds: 2.75
  },
  limits: { steps: 20, tokens: null, cost: 0.5, seconds: null },
  reason: '',
  plan: [
    { text: 'Find the table', done: true },
    { text: 'Answer', done: false }
  ]
};

/** The form of a question, as the Python side makes it. */
export const ASK = {
  type: 'object',
  properties: {
    decision: { type: 'string', enum: ['allow', 'change', 'refuse'], default: 'allow' },
    arguments: { type: 'object', default: { to: 'anna@example.org', text: 'Hi' } },
    reason: { type: 'string', default: '' }
  },
  'x-call': {
    id: 'c1',
    tool: 'mail.send',
    source: 'the notebook',
    effects: 'write',
    sends: true,
    why: 'It sends.',
    schema: { type: 'object' }
  }
};

export function askWait(change: Partial<Wait> = {}): Wait {
  return {
    step: 'analyst',
    key: 'ask:c1',
    kind: 'approval',
    name: '',
    message: 'Call mail.send?',
    form: ASK,
    due: null,
    ...change
  };
}
