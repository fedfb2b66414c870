function o(t){const n=t==null?"":typeof t=="object"?JSON.stringify(t):String(t),r=/^[=+\-@\t\r]/.test(n)&&!/^-?\d+(\.\d+)?$/.test(n)?`'${n}`:n;return/[",\r\n]/.test(r)?`"${r.replaceAll('"','""')}"`:r}function c(t,n){return[t,...n].map(r=>r.map(o).join(",")).join(`\r
`)+`\r
`}export{c};
