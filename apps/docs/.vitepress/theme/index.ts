// VitePress's default theme in the colors of the playground.
import DefaultTheme from 'vitepress/theme';
import './theme.css';

export default DefaultTheme;
