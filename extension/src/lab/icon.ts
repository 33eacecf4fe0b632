/** Icons of flows, runs, the queue and schedules. */
import { LabIcon } from '@jupyterlab/ui-components';

/** Three nodes and their wires. */
export const flowIcon = new LabIcon({
  name: 'iaiflow:flow',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 22 22">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <rect x="2" y="3" width="7" height="6" rx="1.5"/>
    <rect x="2" y="13" width="7" height="6" rx="1.5"/>
    <rect x="14" y="8" width="6" height="6" rx="1.5"/>
    <path d="M9 5.4h1.2c2.2 0 1.8 4.8 3.8 4.8v1.6c-2 0-1.6 4.8-3.8 4.8H9V15h1.2c1.4 0 .8-2.4 2-4-1.2-1.6-.6-4-2-4H9z"/>
  </g>
</svg>`
});

/** A list of runs: what ended, and what goes on. */
export const runsIcon = new LabIcon({
  name: 'iaiflow:runs',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 22 22">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path d="M3 4.5 7 7 3 9.500zM10 6h9v2h-9zM3 13.500 7 16 3 18.500zM10 15h9v2h-9z"/>
  </g>
</svg>`
});

/** Into the queue. */
export const queueIcon = new LabIcon({
  name: 'iaiflow:queue',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 22 22">
  <g class="jp-icon3" fill="#616161">
    <path d="M3 4h11v2H3zM3 10h8v2H3zM3 16h8v2H3zM14 9.500 20 14l-6 4.500z"/>
  </g>
</svg>`
});

/** At a time. */
export const scheduleIcon = new LabIcon({
  name: 'iaiflow:schedule',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 22 22">
  <g class="jp-icon3" fill="#616161">
    <path fill-rule="evenodd" d="M11 2.500a8.500 8.500 0 1 1 0 17 8.500 8.500 0 0 1 0-17zm0 2a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13zM10 6.500h2v4.100l2.900 2.900-1.400 1.400L10 11.400z"/>
  </g>
</svg>`
});

/** What is said between two. */
export const chatIcon = new LabIcon({
  name: 'iaiflow:chat',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 22 22">
  <g class="jp-icon3 jp-icon-selectable" fill="#616161">
    <path fill-rule="evenodd" d="M4 3h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-7l-5 4v-4H4a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2zM6 7v1.600h10V7zM6 10.400V12h7v-1.600z"/>
  </g>
</svg>`
});
