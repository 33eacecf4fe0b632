/** The heavy part, loaded when the first flow opens: React, the surface, and its panels. */
import types from '../core/builtin.json';
import { mountCanvas } from '../canvas/mount';
import type { NodeType } from '../core/catalog';
import { catalogOf } from '../core/sync';

export { mountCanvas };
export { labServices } from './services';
/** Node types to edit with while there is no kernel. */
export const builtin = catalogOf(types as unknown as readonly NodeType[]);
