"""The public face of Nafuda: the command line and what scripts import. Everything real lives on other floors."""
