/** The way to the service that runs flows: through the Jupyter server, which starts it. */
import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import { Client } from '../api/client';

/** Where the Jupyter server passes requests on. */
const PREFIX = 'iaiflow/';

export function serviceClient(settings: ServerConnection.ISettings): Client {
  const base = URLExt.join(settings.baseUrl, PREFIX);
  return new Client((path, init) =>
    // `settings.init` says that nothing is kept in caches; a stream's signal must not be lost
    ServerConnection.makeRequest(base + path, init, settings)
  );
}
