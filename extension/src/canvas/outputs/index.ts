/** How outputs of nodes are shown: on a node's face, and whole in the inspector. */
export { ErrorView } from './ErrorView';
export { ImageView } from './ImageView';
export { JsonTree } from './JsonTree';
export { LogView } from './LogView';
export { MimeOutput, widgetModel } from './MimeOutput';
export { NodeOutput, hasOutput, isLive } from './NodeOutput';
export { Output } from './Output';
export { Pager } from './Pager';
export { TableView } from './TableView';
export { ValueViewer } from './ValueViewer';
export { madeNow, trustedAt } from './trust';
