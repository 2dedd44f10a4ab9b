// A loop over images or tiles with different numbers of rows. The result is one list of all rows.
import type { GraphBuilder, Value } from '../graph/graph-builder.js';
import { cast, concat, scalar } from '../graph/operators.js';

/**
 * The rows `[.., width]` that `rowsOf` makes of item 0, 1, … one after another. `count` is a vector of one integer;
 * `rowsOf` describes its part in the graph it is given and may use values of `g`.
 */
export function rowsOfEach(
  g: GraphBuilder,
  { count, width }: { readonly count: Value; readonly width: number },
  rowsOf: (body: GraphBuilder, index: Value) => Value,
): Value {
  const body = g.subgraph('item');
  const index = body.input('item_index', 'int64', []);
  const going = body.input('item_going', 'bool', []);
  const before = body.input('item_before', 'float32', ['num_rows', width]);
  const rows = rowsOf(body, index);
  body.output('item_still_going', going);
  body.output('item_after', concat(body, [before, rows], 0));

  const none = g.op('Expand', [g.float(0), g.ints([0, width])]);
  const always = cast(g, g.int(1), 'bool');
  return g.op('Loop', [scalar(g, count), always, none], { body: { graph: body.graph() } });
}
