/**
 * Yjs says on the console when a page loads it twice, since parts of two copies do not mix. The
 * widget's documents never leave the widget, so that a copy of its own is in order: the mark of the
 * page's copy is taken away before this one loads, which sets it again.
 */
delete (globalThis as Record<string, unknown>)['__ $YJS$ __'];
