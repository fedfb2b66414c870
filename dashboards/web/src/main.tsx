// Where the page begins: the style sheets, the listeners, and the first drawing.

import 'uplot/dist/uPlot.min.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/parts.css';
import './styles/views.css';
import './styles/pedigree.css';
import './styles/narrow.css';
import './styles/print.css';
import { render } from 'preact';
import { App } from './app';
import { startLive } from './api/live';
import { startRouter } from './router';
import { startSettings } from './settings';

startSettings();
startRouter();
startLive();
const root = document.getElementById('app');
if (root) render(<App />, root);
