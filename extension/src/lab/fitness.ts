/** Whether a kernel has what a page of ours speaks with, and what is to be installed if not. */
import type { Kernel } from '@jupyterlab/services';
import { RUNNING, type Answers, type CommTransport } from './comm';
import { RELEASE } from './names';

/** Why there is no line to the kernel; `command` installs what is missing. */
export interface Obstacle {
  readonly message: string;
  readonly command: string;
}

/** Why a kernel cannot be talked with now: there is none, it is not ready yet, it is gone. */
export type Absent = 'none' | 'starting' | 'lost';
export type Joined = Absent | 'ready' | 'unsuitable';

/** What is wrong with a kernel. */
export type Unfit =
  | { readonly kind: 'language'; readonly language: string }
  | { readonly kind: 'missing'; readonly command: string }
  | { readonly kind: 'version'; readonly found: string; readonly command: string }
  | { readonly kind: 'broken'; readonly error: string };

/**
 * Attach to a kernel and let its side be registered; the result says what keeps it from that.
 *
 * @param module The module whose `register()` does it.
 */
export async function register(
  transport: CommTransport,
  kernel: Kernel.IKernelConnection,
  module: string
): Promise<Unfit | null> {
  const { language_info } = await kernel.info;
  if (language_info.name !== 'python') {
    return { kind: 'language', language: language_info.name };
  }
  await transport.attach(kernel);
  return unfitness(
    await transport.evaluate({
      python: "__import__('sys').executable",
      version: "__import__('importlib.metadata', fromlist=['version']).version('iaiflow-lab')",
      register: `__import__('${module}', fromlist=['register']).register()`
    })
  );
}

function unfitness(answers: Answers): Unfit | null {
  const command = `${quoted(text(answers.python) || 'python')} -m pip install iaiflow-lab==${RELEASE}`;
  const found = text(answers.version);
  if (!found) {
    return { kind: 'missing', command };
  }
  if (found !== RELEASE) {
    return { kind: 'version', found, command };
  }
  const { register: answer } = answers;
  return answer && 'error' in answer
    ? { kind: 'broken', error: `${answer.name}: ${answer.error}` }
    : null;
}

/** What it is called when a kernel cannot be talked with now; null: it can. */
export function absence(kernel: Kernel.IKernelConnection | null): Absent | null {
  if (!kernel) {
    return 'none';
  }
  if (kernel.connectionStatus === 'connected' && RUNNING.has(kernel.status)) {
    return null;
  }
  const isOver = ['dead', 'terminating'].includes(kernel.status);
  return isOver || kernel.connectionStatus === 'disconnected' ? 'lost' : 'starting';
}

/** A string from Python's `repr` of it; "" when the expression failed. */
function text(answer: Answers[string] | undefined): string {
  const value = answer && 'value' in answer ? answer.value : '';
  return value.slice(1, -1).replace(/\\(.)/g, '$1');
}

/** A path for a shell. */
function quoted(path: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(path) ? path : `"${path}"`;
}
