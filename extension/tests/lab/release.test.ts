import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EDITOR, RELEASE, SETTINGS } from '../../src/lab/names';

function read(path: string): string {
  return readFileSync(join(import.meta.dirname, '../..', path), 'utf8');
}

it('has one version in the extension, its package and the distribution', () => {
  expect(JSON.parse(read('package.json')).version).toBe(RELEASE);
  expect(/^version = "(.*)"$/m.exec(read('../pyproject.toml'))?.[1]).toBe(RELEASE);
});

it('finds its settings under its own name', () => {
  const [name, file] = SETTINGS.split(':');
  expect(JSON.parse(read('package.json')).name).toBe(name);
  expect(JSON.parse(read(`schema/${file}.json`))['jupyter.lab.toolbars']).toHaveProperty([EDITOR]);
});
