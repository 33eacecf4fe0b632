/** The icon of flows: three nodes and their wires. */
import { LabIcon } from '@jupyterlab/ui-components';

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
