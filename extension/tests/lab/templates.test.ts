import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { translator } from '../../src/core/i18n';
import { templates } from '../../src/lab/templates';

const FOLDER = join(import.meta.dirname, '../../src/lab/templates');

it('offers every template once, as a file that can be read', () => {
  const offered = templates(translator('en'));
  const files = readdirSync(FOLDER).map(name => name.replace('.json', ''));
  expect(offered.map(({ id }) => id).sort()).toEqual(files.sort());
  expect(new Set(offered.map(({ title }) => title)).size).toBe(files.length);
  for (const { text } of offered) {
    expect(JSON.parse(text)).toMatchObject({ format: 'iaiflow/1' });
    expect(text.endsWith('\n')).toBe(true);
  }
});
