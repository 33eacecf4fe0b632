/** Questions to the page that have the same answer where the canvas stands in a shadow tree. */

/** The tree that an element stands in: it knows what has the focus there, and what is at a point. */
export function treeOf(element: Element): DocumentOrShadowRoot {
  return element.getRootNode() as Document | ShadowRoot;
}

/** Whether an event that is heard far outside began in an element. */
export function beganIn(event: Event, element: Element | null): boolean {
  return element !== null && event.composedPath().includes(element);
}
