/** A surface in a page, with a kernel that lives there too. */
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { ControllerContext } from '../../src/canvas/hooks';
import { Surface } from '../../src/canvas/surface';
import { Controller } from '../../src/core/controller';
import { FlowDocument } from '../../src/core/document';
import { dumpFlow } from '../../src/core/file';
import type { Flow } from '../../src/core/flow';
import { KernelLink } from '../../src/core/link';
import { plainServices } from '../../src/plain';
import { PageKernel } from '../../src/testpage/kernel';
import { CATALOG } from '../../src/testpage/types';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

export interface Stage {
  readonly controller: Controller;
  readonly kernel: PageKernel;
  readonly root: Root;
}

/** Show a flow, or some more around its surface. */
export function showFlow(flow: Flow, more: React.ReactNode = null): Stage {
  const place = document.body.appendChild(document.createElement('div'));
  const root = createRoot(place);
  const document_ = new FlowDocument();
  document_.load(dumpFlow(flow));
  const services = plainServices({ place: document.body, language: 'en' });
  const options = { document: document_, services, builtin: CATALOG };
  const controller = new Controller({ ...options, mode: 'document' });
  const kernel = new PageKernel();
  controller.link.set(new KernelLink(kernel, { trans: services.trans }));
  act(() =>
    root.render(
      <ControllerContext.Provider value={controller}>
        <div className="iai-app">
          <Surface controller={controller} />
          {more}
        </div>
      </ControllerContext.Provider>
    )
  );
  return { controller, kernel, root };
}
