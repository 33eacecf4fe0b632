import type { JupyterFrontEnd } from '@jupyterlab/application';
import { describe, expect, it, vi } from 'vitest';
import { saveOpen, servedPath } from '../../src/lab/open';

function page(...contexts: { path: string; dirty: boolean }[]) {
  const save = vi.fn(() => Promise.resolve());
  const widgets = contexts.map(({ path, dirty }) => ({
    context: { path, model: { dirty }, save: () => save() }
  }));
  const contents = { localPath: (path: string) => path.replace(/^RTC:/, '') };
  const shell = { widgets: () => [{}, ...widgets] };
  return { save, app: { shell, serviceManager: { contents } } as unknown as JupyterFrontEnd };
}

describe('what is open', () => {
  it('is saved when it is the file that is asked for, in front or not', async () => {
    const { app, save } = page(
      { path: 'front.ipynb', dirty: true },
      { path: 'RTC:a.ipynb', dirty: true }
    );
    expect(await saveOpen(app, 'a.ipynb')).toBe(true);
    expect(save).toHaveBeenCalledTimes(1);
  });

  it('is left alone when nothing has changed', async () => {
    const { app, save } = page({ path: 'a.ipynb', dirty: false }, { path: 'b.ipynb', dirty: true });
    expect(await saveOpen(app, 'a.ipynb')).toBe(false);
    expect(save).not.toHaveBeenCalled();
  });
});

describe('a file of the workspace', () => {
  it('is found where Jupyter serves it', () => {
    expect(servedPath('/srv/work/a/b.ipynb', '/srv/work')).toBe('a/b.ipynb');
    expect(servedPath('/srv/work/b.ipynb', '/srv/work/')).toBe('b.ipynb');
    const home = ['', 'home', 'anna'].join('/');
    expect(servedPath(`${home}/work/b.ipynb`, '~/work')).toBe('b.ipynb');
    expect(servedPath('/data/anna/work/b.ipynb', '~/work')).toBe('b.ipynb');
    expect(servedPath(`${home}/b.ipynb`, '~')).toBe('b.ipynb');
    expect(servedPath('/srv/b.ipynb', '~')).toBeNull();
    expect(servedPath('/srv/workshop/b.ipynb', '/srv/work')).toBeNull();
  });
});
