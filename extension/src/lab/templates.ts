/** What a new flow starts from. */
import type { Trans } from '../core/i18n';
import analyst from './templates/analyst.json';
import chart from './templates/chart.json';
import debate from './templates/debate.json';
import documents from './templates/documents.json';
import empty from './templates/empty.json';
import handover from './templates/handover.json';
import map from './templates/map.json';
import planner from './templates/planner.json';
import research from './templates/research.json';
import router from './templates/router.json';

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
    { id: 'map', title: trans('Map over items'), text: written(map) },
    { id: 'analyst', title: trans('SQL analyst'), text: written(analyst) },
    { id: 'research', title: trans('Research with citations'), text: written(research) },
    { id: 'documents', title: trans('Map and reduce documents'), text: written(documents) },
    { id: 'planner', title: trans('Planner and workers'), text: written(planner) },
    { id: 'router', title: trans('Router'), text: written(router) },
    { id: 'handover', title: trans('Handing over'), text: written(handover) },
    { id: 'debate', title: trans('Debate'), text: written(debate) }
  ];
}

function written(flow: object): string {
  return `${JSON.stringify(flow, null, 2)}\n`;
}
