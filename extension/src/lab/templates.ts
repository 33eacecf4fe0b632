/** What a new flow starts from. */
import type { Trans } from '../core/i18n';
import chart from './templates/chart.json';
import empty from './templates/empty.json';
import map from './templates/map.json';

export interface Template {
  readonly id: string;
  readonly title: string;
  /** What stands in the file. */
  readonly text: string;
}

export function templates(trans: Trans): readonly Template[] {
  return [
    { id: 'empty', title: trans('Empty flow'), text: written(empty) },
    { id: 'chart', title: trans('Fetch, transform, chart'), text: written(chart) },
    { id: 'map', title: trans('Map over items'), text: written(map) }
  ];
}

function written(flow: object): string {
  return `${JSON.stringify(flow, null, 2)}\n`;
}
