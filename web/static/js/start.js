// Runs before the page is drawn: says that scripts work, so that nothing jumps later.
document.documentElement.classList.add("js");
