// /: the figures of the proxy at a glance. The page is an empty frame; its script asks for /summary.json and fills it.
import { htmlPage } from './html.ts'

export const dashboardPage = htmlPage({
  title: 'Overview',
  script: '/admin/dashboard.js',
  main: `<noscript><p>This page needs its script; <a href="/summary.json">/summary.json</a> has the same figures.</p></noscript>
<p class="problem" id="problem" hidden></p>
<p class="facts" id="facts">&nbsp;</p>
<div id="routers"></div>`,
})
