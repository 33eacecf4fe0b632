/** A line above the canvas that says why its kernel cannot run the flow, and what to do. */
import { Clipboard } from '@jupyterlab/apputils';
import type { Trans } from '../core/i18n';
import type { Obstacle } from './fitness';

export class Banner {
  readonly node = document.createElement('div');

  constructor(private readonly trans: Trans) {
    this.node.className = 'iai-Banner';
    this.node.setAttribute('role', 'status');
    this.node.hidden = true;
  }

  show(obstacle: Obstacle | null, retry: () => void): void {
    this.node.hidden = obstacle === null;
    this.node.replaceChildren();
    if (!obstacle) {
      return;
    }
    const text = document.createElement('span');
    text.textContent = obstacle.message;
    this.node.append(text);
    const { command } = obstacle;
    if (command) {
      const code = document.createElement('code');
      code.textContent = command;
      this.node.append(
        code,
        this.button(this.trans('Copy'), () => Clipboard.copyToSystem(command))
      );
    }
    this.node.append(this.button(this.trans('Try again'), retry));
  }

  private button(label: string, action: () => void): HTMLButtonElement {
    const made = document.createElement('button');
    made.type = 'button';
    made.className = 'jp-mod-styled';
    made.textContent = label;
    made.addEventListener('click', action);
    return made;
  }
}
