Reveal.initialize({
  width: 1280, height: 720, margin: 0, center: false, display: 'flex', defaultTiming: 0, hash: true, navigationMode: 'linear',
  transition: 'none', slideNumber: 'c/t', showNotes: new URLSearchParams(location.search).has('showNotes'),
  pdfSeparateFragments: false, pdfMaxPagesPerSlide: 1, plugins: [RevealNotes]
});
