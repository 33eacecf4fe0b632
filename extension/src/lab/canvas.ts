/** The heavy part, loaded when the first flow opens: React, the surface, and its panels. */
import types from '../core/builtin.json';
import { mountCanvas } from '../canvas/mount';
import type { Catalog, NodeType } from '../core/catalog';
import type { Trans } from '../core/i18n';
import type { ElkApi } from '../core/layout';
import { catalogOf } from '../core/sync';

export { mountCanvas };
export { labServices } from './services';
/** Node types to edit with while there is no kernel. */
export function builtin(trans: Trans): Catalog {
  return catalogOf(types as unknown as readonly NodeType[], trans);
}

/** The layout engine for big flows; it is half of everything, so it is loaded when first needed. */
export async function loadElk(): Promise<ElkApi> {
  const { default: Elk } = await import('elkjs/lib/elk.bundled.js');
  return new Elk() as unknown as ElkApi;
}
