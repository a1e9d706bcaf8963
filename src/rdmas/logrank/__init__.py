from rdmas.logrank._exact import exact_logrank_p
from rdmas.logrank._orders import orderings, weak_orderings
from rdmas.logrank._statistic import logrank_p
