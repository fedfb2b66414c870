import{a as r}from"./index-hiw2cNHR.js";function a({word:d,mono:n=!1,children:o}){return r("div",{children:[r("dt",{children:d}),r("dd",{class:n?"mono":"",children:o})]})}export{a as F};
