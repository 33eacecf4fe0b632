// Bundles what is not a JupyterLab extension: the anywidget modules and the plain test page.
import { build } from 'esbuild';

const common = {
  bundle: true,
  format: 'esm',
  minify: true,
  target: 'es2020',
  charset: 'utf8',
  jsx: 'automatic',
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none',
  logLevel: 'warning'
};
const targets = {
  widget: {
    entryPoints: { canvas: 'src/widget/index.ts', asks: 'src/asks/index.tsx' },
    outdir: '../iaiflow_lab/canvas/static'
  },
  inspector: {
    entryPoints: { inspector: 'src/inspector/index.tsx' },
    outdir: '../memory/iaiflow_memory/inspector/static'
  },
  chat: {
    entryPoints: { chat: 'src/chat/index.ts' },
    outdir: '../agents/iaiflow_agents/chat/static'
  },
  testpage: {
    entryPoints: { testpage: 'src/testpage/index.ts' },
    outdir: 'testpage/dist'
  }
};
const name = process.argv[2];
if (!(name in targets)) {
  console.error(`Say what to build: ${Object.keys(targets).join(' or ')}.`);
  process.exit(2);
}
await build({ ...common, ...targets[name] });
