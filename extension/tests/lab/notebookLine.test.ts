import type { ISessionContext } from '@jupyterlab/apputils';
import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { JsonObject } from '../../src/core/flow';
import { Refusal } from '../../src/lab/notebookCells';
import { NotebookLine, type Doer } from '../../src/lab/notebookLine';

vi.mock('@jupyterlab/services', () => ({
  KernelMessage: {
    createMessage: (message: object) => message,
    isCommMsgMsg: ({ msgType }: { msgType: string }) => msgType === 'comm_msg',
    isCommCloseMsg: () => false
  }
}));

type Sent = {
  readonly msgType: string;
  readonly subshellId?: string;
  readonly content: JsonObject;
};

/** A kernel that several pages listen to; what they send is kept. */
function kernelOf() {
  const owner = {};
  const sent: Sent[] = [];
  let subshells = 0;
  const iopubMessage = new Signal<object, object>(owner);
  return {
    sent,
    clientId: 'page-1',
    username: '',
    status: 'idle',
    connectionStatus: 'connected',
    isDisposed: false,
    supportsSubshells: true,
    iopubMessage,
    statusChanged: new Signal<object, string>(owner),
    requestCreateSubshell: () => ({
      done: Promise.resolve({ content: { subshell_id: `shell-${(subshells += 1)}` } })
    }),
    requestDeleteSubshell: () => undefined,
    sendShellMessage: (message: Sent) => void sent.push(message),
    say: (data: JsonObject, session = 'page-1', comm_id = 'iaiflow.notebook') =>
      iopubMessage.emit({
        msgType: 'comm_msg',
        parent_header: { session },
        content: { comm_id, data }
      })
  };
}

let kernel: ReturnType<typeof kernelOf>;
let session: { session: { kernel: object } | null; kernelChanged: Signal<object, void> };
const lines: NotebookLine[] = [];

function open(perform: Doer): NotebookLine {
  const line = new NotebookLine(session as unknown as ISessionContext, perform);
  lines.push(line);
  return line;
}

function said(): JsonObject[] {
  return kernel.sent.map(({ content }) => content.data as JsonObject);
}

async function claims(count: number): Promise<JsonObject[]> {
  await vi.waitFor(() => expect(said().filter(({ kind }) => kind === 'claim')).toHaveLength(count));
  return said().filter(({ kind }) => kind === 'claim');
}

beforeEach(() => {
  kernel = kernelOf();
  session = { session: { kernel }, kernelChanged: new Signal<object, void>({}) };
});

afterEach(() => lines.splice(0).forEach(line => line.dispose()));

it('has exactly one of several pages do what is asked', async () => {
  const done: string[] = [];
  open(async verb => (done.push(`first ${verb}`), { cell: 'a' }));
  open(async verb => (done.push(`second ${verb}`), { cell: 'b' }));
  kernel.say({ kind: 'offer', id: '1' });
  const [, second] = await claims(2);
  kernel.say({ kind: 'do', id: '1', page: second?.page ?? '', verb: 'insert', arguments: {} });
  await vi.waitFor(() => expect(said().some(({ kind }) => kind === 'answer')).toBe(true));
  expect(done).toEqual(['second insert']);
  expect(said().at(-1)).toEqual({ kind: 'answer', id: '1', value: { cell: 'b' } });
  const comms = kernel.sent.map(({ content }) => content.comm_id);
  expect(new Set(comms)).toEqual(new Set(['iaiflow.notebook.answers']));
});

it('is heard while a cell runs, by one subshell for all requests', async () => {
  open(async () => ({}));
  kernel.say({ kind: 'offer', id: '1' });
  kernel.say({ kind: 'offer', id: '2' }, 'elsewhere');
  await claims(2);
  expect(new Set(kernel.sent.map(({ subshellId }) => subshellId))).toEqual(new Set(['shell-1']));
});

it('says why something was not done', async () => {
  const faults = [new Refusal('It is locked.'), new TypeError('x is null')];
  open(() => Promise.reject(faults.shift()));
  kernel.say({ kind: 'offer', id: '1' });
  const [{ page = '' } = {}] = await claims(1);
  kernel.say({ kind: 'do', id: '1', page, verb: 'edit', arguments: {} });
  kernel.say({ kind: 'do', id: '2', page, verb: 'edit', arguments: {} });
  await vi.waitFor(() => expect(said().filter(({ kind }) => kind === 'answer')).toHaveLength(2));
  expect(said().slice(1)).toEqual([
    { kind: 'answer', id: '1', refused: 'It is locked.' },
    { kind: 'answer', id: '2', refused: 'The page failed: TypeError: x is null' }
  ]);
});

it('leaves alone what is for others, and a comm that it did not open', async () => {
  const perform = vi.fn(async () => ({}));
  const line = open(perform);
  kernel.say({ kind: 'offer', id: '1' }, 'page-1', 'another');
  kernel.say({ kind: 'do', id: '1', page: 'another', verb: 'edit', arguments: {} });
  kernel.say({ kind: 'offer', id: '2' });
  await claims(1);
  line.dispose();
  kernel.say({ kind: 'offer', id: '3' });
  expect(perform).not.toHaveBeenCalled();
  expect(kernel.sent.map(({ msgType }) => msgType)).toEqual(['comm_msg']);
});

it('tries anew when it could not be joined', async () => {
  const { requestCreateSubshell } = kernel;
  kernel.requestCreateSubshell = vi.fn(() => ({ done: Promise.reject(new Error('Canceled')) }));
  open(async () => ({}));
  kernel.say({ kind: 'offer', id: '1' });
  await vi.waitFor(() => expect(kernel.requestCreateSubshell).toHaveBeenCalledOnce());
  kernel.requestCreateSubshell = requestCreateSubshell;
  kernel.say({ kind: 'offer', id: '2' });
  expect(await claims(1)).toMatchObject([{ id: '2' }]);
});

it('says nothing to a kernel that was restarted while it was joined', async () => {
  open(async () => ({}));
  const offer = (id: string): void => kernel.say({ kind: 'offer', id });
  const { requestCreateSubshell } = kernel;
  kernel.requestCreateSubshell = () => {
    kernel.requestCreateSubshell = requestCreateSubshell;
    queueMicrotask(() => (kernel.statusChanged.emit('restarting'), offer('2')));
    return requestCreateSubshell();
  };
  offer('1');
  expect(await claims(1)).toMatchObject([{ id: '2' }]);
});

it('speaks anew to a kernel that was restarted', async () => {
  open(async () => ({}));
  kernel.say({ kind: 'offer', id: '1' });
  await claims(1);
  kernel.statusChanged.emit('restarting');
  kernel.say({ kind: 'offer', id: '2' });
  await claims(2);
  expect(kernel.sent.map(({ subshellId }) => subshellId)).toEqual(['shell-1', 'shell-2']);
});
