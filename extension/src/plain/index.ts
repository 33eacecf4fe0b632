/** Services for hosts that offer nothing. */
export { plainServices, type PlainOptions } from './services';
export { mountOutput } from './output';
export { mountFrame } from './frame';
export { showMarkdown } from './markdown';
