import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { focusAround, holdFocus } from '../../src/canvas/chrome/useHeldFocus';

let panel: HTMLElement;
let end: () => void;

const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve));
const find = (id: string): HTMLElement => document.getElementById(id) as HTMLElement;

beforeEach(() => {
  const page = `
    <section id="panel">
      <button id="first">First</button>
      <div id="row"><button id="other">Open</button><span id="gone"><button id="pin">Pin</button></span></div>
    </section>
    <button id="outside">Outside</button>`;
  const read = new DOMParser().parseFromString(page, 'text/html');
  document.body.replaceChildren(...read.body.children);
  panel = find('panel');
  end = holdFocus(panel);
});

afterEach(() => {
  end();
  document.body.replaceChildren();
});

describe('the focus of a panel', () => {
  it('goes to what stands beside a button that has gone', async () => {
    find('pin').focus();
    find('gone').remove();
    await settled();
    expect(document.activeElement).toBe(find('other'));
  });

  it('goes on to the panel when nothing is left there', async () => {
    find('pin').focus();
    find('row').remove();
    await settled();
    expect(document.activeElement).toBe(find('first'));
  });

  it('stays where a person has put it', async () => {
    find('pin').focus();
    find('outside').focus();
    find('gone').remove();
    await settled();
    expect(document.activeElement).toBe(find('outside'));
    find('first').focus();
    document.dispatchEvent(new Event('pointerdown'));
    find('first').remove();
    await settled();
    expect(document.activeElement).toBe(document.body);
  });

  it('is given on by the innermost part that is left', async () => {
    const row = find('row');
    const endInner = holdFocus(row, () => row.focus());
    row.tabIndex = -1;
    find('pin').focus();
    find('gone').remove();
    await settled();
    expect(document.activeElement).toBe(row);
    find('other').focus();
    row.remove();
    await settled();
    expect(document.activeElement).toBe(find('first'));
    endInner();
  });

  it('can go to what it stood in', async () => {
    end();
    end = holdFocus(panel, focusAround);
    panel.tabIndex = 0;
    find('row').tabIndex = -1;
    find('pin').focus();
    find('gone').remove();
    await settled();
    expect(document.activeElement).toBe(find('row'));
    find('row').remove();
    await settled();
    expect(document.activeElement).toBe(panel);
  });
});
