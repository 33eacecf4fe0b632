/** What a flow returns. */
import type { Catalog } from '../catalog';
import { type Flow, OUT } from '../flow';
import { sinks } from '../graph';
import { freeName, nameFrom } from '../fresh';
import { isName } from '../names';
import { EditError } from '../sentence';

/**
 * What a flow returns, by name, as `node.port`, also where the file leaves it to the engine.
 * @throws EditError when a node's outputs are not known
 */
export function resultsOf(flow: Flow, catalog: Catalog): NonNullable<Flow['outputs']> {
  if (flow.outputs) {
    return flow.outputs;
  }
  const results: Record<string, string> = {};
  for (const id of sinks(flow)) {
    for (const port of outputNames(flow, catalog, id)) {
      const wanted = port.isOnly ? id : `${id}_${port.name}`;
      const name = isName(wanted) ? wanted : nameFrom(wanted, 'result');
      results[freeName(name, taken => Object.hasOwn(results, taken))] = `${id}.${port.name}`;
    }
  }
  return results;
}

/** Return one more output, `node.port`. @throws EditError when the name is taken */
export function addResult(flow: Flow, name: string, from: string): Flow {
  if (Object.hasOwn(flow.outputs ?? {}, name)) {
    throw new EditError('There is already a result called {name}.', { name });
  }
  return { ...flow, outputs: { ...flow.outputs, [name]: from } };
}

function outputNames(
  flow: Flow,
  catalog: Catalog,
  id: string
): { readonly name: string; readonly isOnly: boolean }[] {
  const type = catalog.get(flow.nodes[id]?.type ?? '');
  if (!type) {
    throw new EditError('The outputs of {type} are not known here; choose a kernel that has it.', {
      type: flow.nodes[id]?.type ?? OUT
    });
  }
  const isOnly = type.outputs.length === 1;
  return type.outputs.map(({ name }) => ({ name, isOnly }));
}
