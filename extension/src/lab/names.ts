/** Names that plugins, settings and documents share. */

/** The document type of jupyter-collaboration, the model factory and the file type. */
export const FLOW = 'iaiflow';
export const EXTENSION = '.flow.json';
/** The widget factory's name; also names its toolbar in the settings. */
export const EDITOR = 'Flow editor';
export const SETTINGS = 'iaiflow-lab:documents';
/** The command that asks for a secret and returns its name; "" when none was set. */
export const SECRETS = 'iaiflow:secrets';
/** The command that opens a chat with the agents of a document's kernel. */
export const CHAT = 'iaiflow:open-chat';
export const CATEGORY = 'IAI Flow Lab';
export const PICTURE_MIME = 'application/vnd.iaiflow.canvas+json';
export const MEMORY_MIME = 'application/vnd.iaiflow.memory+json';
export const CHAT_MIME = 'application/vnd.iaiflow.chat+json';
export const WIDGET_MIME = 'application/vnd.jupyter.widget-view+json';
/** This extension's version; the kernel's iaiflow-lab must be the same. */
export const RELEASE = '0.1.0';
