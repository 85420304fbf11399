"""Where loaded plugins appear as modules: `housecall.plugins.<id>`. `extending.registry` puts them here."""
